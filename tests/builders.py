"""Rows with sensible defaults: a test states only what it is about."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractUser, Group
from django.utils import timezone

from broadcasts.domain.lifecycle import STASIS_STATUS, Status
from broadcasts.models import (
    AsteriskServer,
    Broadcast,
    Candidate,
    Connection,
    LinkLease,
    Presence,
    Preset,
    Process,
    Rule,
)

_numbers = count(1)


def make_user(name: str = "operator", **columns: Any) -> AbstractUser:
    """Make a person who may sign in."""
    return get_user_model().objects.create_user(name, password="secret-of-a-test", **columns)


def make_member(role: str = "operator", name: str = "", **columns: Any) -> AbstractUser:
    """Make a person of a role, named after it unless told, or return the one made before."""
    name = name or role
    user = get_user_model().objects.filter(username=name).first() or make_user(name, **columns)
    user.groups.add(Group.objects.get(name=role))
    return user


def make_server(name: str = "pbx", **columns: Any) -> AsteriskServer:
    """Make a server that we dial in to, or return the one of that name."""
    defaults = {"url": "http://127.0.0.1:8088", "username": "broadcast", "password": "secret"}
    return AsteriskServer.objects.get_or_create(name=name, defaults={**defaults, **columns})[0]


def make_broadcast(offered: Sequence[str] = ("ivr-main",), **columns: Any) -> Broadcast:
    """Make a broadcast, 200 ms old unless told, with one candidate per name in `offered`.

    `claim_ms` sets claimed_at by the latency, in milliseconds. A claimed broadcast has a winner
    who is in the call; a final status ends it.
    """
    number = next(_numbers)
    at: datetime = columns.pop("opened_at", timezone.now() - timedelta(milliseconds=200))
    claim_ms = columns.pop("claim_ms", 12.5 if columns.get("status") == Status.CLAIMED else None)
    timeout_ms = columns.setdefault("timeout_ms", 5000)
    defaults = {
        "server": columns.get("server") or make_server(),
        "channel_id": f"1700000000.{number}",
        "channel_name": f"PJSIP/trunk-{number:08x}",
        "caller_number": "+15550100",
        "called": "600",
        "context": "from-trunk",
        "channel": {"id": f"1700000000.{number}", "state": "Ring"},
        "arguments_given": [],
        "opened_at": at,
        "deadline": at + timedelta(milliseconds=timeout_ms),
        "candidate_count": len(offered),
    }
    if claim_ms is not None:
        claimed_at = at + timedelta(milliseconds=claim_ms)
        defaults |= {"claimed_at": claimed_at, "handed_over_at": claimed_at}
        defaults |= {"claim_ms": claim_ms}
        defaults |= {"winner": offered[0]}
    elif columns.get("status", Status.OPEN) != Status.OPEN:
        ended_at = at + timedelta(milliseconds=timeout_ms)
        defaults |= {"ended_at": ended_at, "stasis_status": STASIS_STATUS[columns["status"]]}
    broadcast = Broadcast.objects.create(**{**defaults, **columns})
    for position, application in enumerate(offered, 1):
        Candidate.objects.create(
            broadcast=broadcast,
            application=application,
            position=position,
            reached_by=Candidate.ReachedBy.SOCKET,
            offered_at=at,
        )
    return broadcast


def make_lease(server: AsteriskServer | None = None, **columns: Any) -> LinkLease:
    """Make the lease of a link that is up."""
    now = timezone.now()
    defaults = {
        "holder": uuid4(),
        "expires_at": now + timedelta(minutes=1),
        "connected_since": now - timedelta(hours=1),
        "asterisk_version": "22.5.0",
    }
    return LinkLease.objects.create(server=server or make_server(), **{**defaults, **columns})


def make_process(**columns: Any) -> Process:
    """Make a process that was seen just now."""
    now = timezone.now()
    defaults = {"id": uuid4(), "host": "localhost", "pid": 1, "started_at": now, "seen_at": now}
    return Process.objects.create(**{**defaults, **columns})


def make_presence(application: str = "ivr-main", **columns: Any) -> Presence:
    """Make a connected candidate application."""
    defaults = {
        "process": columns.get("process") or Process.objects.first() or make_process(),
        "server": columns.get("server") or make_server(),
        "user": "ivr",
        "since": timezone.now() - timedelta(minutes=5),
    }
    return Presence.objects.create(application=application, **{**defaults, **columns})


def make_preset(name: str = "vip", *filters: str, timeout_ms: int = 500, **columns: Any) -> Preset:
    """Make a preset with one round per filter, `^vip-` unless given."""
    rounds = [{"app_filter": one, "timeout_ms": timeout_ms} for one in filters or ["^vip-"]]
    preset = Preset(name=name, **{"rounds": rounds, **columns})
    preset.full_clean()
    preset.save()
    return preset


def make_rule(name: str = "all", preset: Preset | None = None, **columns: Any) -> Rule:
    """Make a rule that catches every call unless told, for a preset of its own unless given."""
    rule = Rule(name=name, preset=preset or make_preset(f"preset-{next(_numbers)}"), **columns)
    rule.full_clean()
    rule.save()
    return rule


def make_connection(application: str, since: datetime, until: datetime | None = None) -> Connection:
    """Make the time for which an application was connected to the server `pbx`."""
    return Connection.objects.create(
        server=make_server(),
        application=application,
        user="ivr",
        process=uuid4(),
        since=since,
        until=until,
    )
