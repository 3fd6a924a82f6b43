"""From a StasisStart, or from a row, to a call in the broker's hands."""

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson

from broadcasts.domain import messages
from broadcasts.domain.arbiter import Arbiter
from broadcasts.domain.arguments import movable_args
from broadcasts.domain.broadcast import Broadcast as Arbitrated
from broadcasts.domain.plan import Plan
from broadcasts.domain.rules import Incoming
from broadcasts.ledger.entries import moment
from broadcasts.models import Broadcast

from .call import Call
from .ports import Link, Server, channel_uri

if TYPE_CHECKING:
    from .broker import Broker

# The context of the Gosub in dialplan/stasis-broadcast.conf.
GOSUB_CONTEXT = "stasis-broadcast"
# How long applications get to come back before a later round judges who is connected.
RECONNECT_SECONDS = 5.0


class Arrival(NamedTuple):
    """A call that has come over a link.

    event: its StasisStart, or as much of it as Asterisk tells of a channel.
    start_is_due: whether its StasisStart may still come.
    """

    link: Link
    event: Mapping[str, Any]
    warning: str = ""
    start_is_due: bool = False


def new_call(broker: "Broker", arrival: Arrival, context: str) -> tuple[Call, str]:
    """Judge what has come; returns its call, and why it cannot be broadcast or ""."""
    link, event = arrival.link, arrival.event
    channel, raw = event["channel"], arguments_of(event)
    called, caller = messages.called(channel), messages.caller_number(channel)
    plan = broker.configuration.plan(Incoming(link.server.id, context, called, caller), raw)
    number, names = (
        (1, ()) if plan.refused else broker.candidates.first_round(link.server.id, plan.filters)
    )
    rounds = tuple(one.timeout_ms / 1000 for one in plan.rounds)
    number, now = number or 1, time.time()
    arbitrated = Arbitrated(
        candidates=names,
        deadline=now + rounds[number - 1],
        policy=plan.policy,
        notify_claimed=plan.notify_claimed,
        round=number,
        rounds=rounds if len(rounds) > 1 else (),
    )
    move_args, lost = movable_args(plan.args)
    row = new_row(link.server, channel, raw, plan, arbitrated, now)
    row.context = context[:80]
    row.warnings = [*filter(None, [arrival.warning]), *plan.warnings, *lost]
    row.asterisk_id = str(event.get("asterisk_id") or "")[:80]
    call = Call(broker, link, row, Arbiter(arbitrated), move_args)
    call.start_is_due = arrival.start_is_due
    return call, plan.refused


def recorded_call(broker: "Broker", link: Link, row: Broadcast) -> Call:
    """Return the call of a recorded broadcast, as after a restart.

    Its candidates are to be prefetched: nothing here asks the database.
    """
    candidates = row.candidates.all()
    rounds = tuple(one["timeout_ms"] / 1000 for one in row.rounds)
    deadline = row.deadline.timestamp() - sum(rounds[row.round :])
    if row.round < len(rounds):
        deadline = max(deadline, time.time() + RECONNECT_SECONDS)
    arbitrated = Arbitrated(
        candidates=tuple(one.application for one in candidates),
        deadline=deadline,
        policy=broker.configuration.policy(row.server_id, row.preset_name),
        notify_claimed=row.notify_claimed,
        round=row.round,
        rounds=rounds,
    )
    move_args, _ = movable_args(row.app_args)
    spent = [one.application for one in candidates if one.failed_at]
    return Call(broker, link, row, Arbiter(arbitrated, spent), move_args)


async def calling_context(link: Link, channel_id: str) -> str | None:
    """Return the context that the shipped Gosub was called from; None when the channel is gone.

    A channel in a Gosub stands in the Gosub's own context. Empty where Asterisk does not tell.
    Raises LinkDown.
    """
    response = await link.request(
        "GET", f"{channel_uri(channel_id)}/variable", {"variable": "STACK_PEEK(1,c)"}
    )
    if response.status == 404:
        return None
    return orjson.loads(response.body)["value"] if response.status == 200 else ""


def arguments_of(event: Mapping[str, Any]) -> list[str]:
    """Return the arguments of a StasisStart; none for nonsense."""
    arguments = event.get("args")
    return [str(argument) for argument in arguments] if isinstance(arguments, list) else []


def new_row(
    server: Server,
    channel: Mapping[str, Any],
    raw: list[str],
    plan: Plan,
    arbitrated: Arbitrated,
    now: float,
) -> Broadcast:
    """Return the unsaved row of a broadcast that starts now; long texts are cut to their column."""
    several = len(plan.rounds) > 1
    return Broadcast(
        server_id=server.id,
        channel_id=channel["id"],
        channel_name=str(channel.get("name") or "")[:255],
        caller_number=messages.caller_number(channel)[:80],
        caller_name=messages.caller_name(channel)[:80],
        called=messages.called(channel)[:80],
        channel=channel,
        arguments_given=raw,
        timeout_ms=plan.timeout_ms,
        app_filter=plan.rounds[0].app_filter[:1024],
        app_args=list(plan.args),
        notify_claimed=plan.notify_claimed,
        preset_name=plan.preset[:64],
        preset_version=plan.preset_version,
        rule_name=plan.rule,
        rounds=[asdict(one) for one in plan.rounds] if several else [],
        round=arbitrated.round,
        opened_at=moment(now),
        deadline=moment(arbitrated.last_deadline),
        candidate_count=len(arbitrated.candidates),
    )
