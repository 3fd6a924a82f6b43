"""Two processes of one service: one holds the link, candidates are connected to both."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from broadcasts.simulator import SimulatedAsterisk
from tests.databases import redis_url

from .cast import CANDIDATE, Candidate, ServiceProcess, eventually
from .record import Record
from .stages import DIALPLAN, dialling_in
from .templates import Template

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.postgres,
    pytest.mark.redis,
]

TAKEN = (409, '{"message":"Channel has already been claimed by another application"}')


@dataclass
class Pair:
    """`owner` holds the link and has the candidate ivr-main, `other` has support."""

    asterisk: SimulatedAsterisk
    record: Record
    owner: ServiceProcess
    other: ServiceProcess
    ivr: Candidate
    support: Candidate

    async def call(self, exten: str = "patient"):
        """Place a call, without waiting for anything."""
        return await self.asterisk.call(exten)

    async def offered(self, exten: str = "patient"):
        """Place a call and wait until both candidates are offered it."""
        call = await self.call(exten)
        await self.ivr.offer(call.id)
        await self.support.offer(call.id)
        return call


@asynccontextmanager
async def pair(template: Template, directory: Path, **variables: str) -> AsyncIterator[Pair]:
    """Run two processes on one PostgreSQL, with a candidate at each that both know of."""
    async with AsyncExitStack() as stack:
        asterisk = await stack.enter_async_context(SimulatedAsterisk(dialplan=DIALPLAN))
        url = stack.enter_context(template.copied("postgresql", directory))
        services = [dialling_in(asterisk.url, url, directory, **variables) for _ in range(2)]
        for service in services:
            stack.push_async_callback(service.stop)
        await asyncio.gather(*(service.start() for service in services))
        await eventually(lambda: one_holds_the_link(services))
        owner, other = services
        if await other.gauge("link_up"):
            owner, other = other, owner
        ivr = await Candidate.connect(owner.url, CANDIDATE, "ivr-main")
        support = await Candidate.connect(other.url, CANDIDATE, "support")
        stack.push_async_callback(ivr.leave)
        stack.push_async_callback(support.leave)
        both = Pair(asterisk, Record(url), owner, other, ivr, support)
        await eventually(lambda: len(both.record.rows("presence")) == 2)
        await known_to_owner(both)
        yield both
        assert owner.tracebacks == other.tracebacks == []


async def one_holds_the_link(services: list[ServiceProcess]) -> bool:
    return sum([await service.gauge("link_up") for service in services]) == 1


async def known_to_owner(both: Pair) -> None:
    """Wait until the process with the link offers calls to the other's candidate, too."""

    async def offers() -> bool:
        call = await both.call()
        await both.ivr.offer(call.id)
        await call.hangup()
        await eventually(lambda: bool(both.record.broadcasts(call.id)))
        return both.record.broadcasts(call.id)[-1]["candidate_count"] == 2

    await eventually(offers)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def both(template, tmp_path_factory) -> AsyncIterator[Pair]:
    directory = tmp_path_factory.mktemp("processes")
    async with pair(template, directory, REDIS_URL=redis_url()) as processes:
        yield processes


async def test_candidates_of_both_are_offered_calls_and_one_of_them_wins(both):
    for _ in range(10):
        call = await both.offered()
        answers = await asyncio.gather(both.ivr.claim(call.id), both.support.claim(call.id))
        assert sorted(answer[:2] for answer in answers) == [(204, ""), TAKEN]
        winner, loser = (both.ivr, both.support)
        if answers[1].status == 204:
            winner, loser = loser, winner
        await winner.gets(call.id)
        assert (await loser.claim(call.id))[:2] == TAKEN
        await winner.goes_on(call.id)
        await call.ended()
    await eventually(lambda: not both.record.live())


async def test_the_link_moves_a_call_that_was_claimed_at_the_other(both):
    call = await both.offered()
    assert (await both.support.claim(call.id)).status == 204
    assert (await both.ivr.claim(call.id))[:2] == TAKEN
    await both.support.gets(call.id)
    assert call.where == "stasis:support"
    await call.hangup()
    await eventually(lambda: not both.record.live())
    broadcast = both.record.broadcasts(call.id)[-1]
    assert (broadcast["status"], broadcast["winner"]) == ("claimed", "support")
    assert broadcast["handed_over_at"]


async def test_what_its_winner_cannot_take_is_offered_again_at_the_other(both):
    both.asterisk.failing_moves.add("ivr-main")
    call = await both.offered()
    assert (await both.ivr.claim(call.id)).status == 204
    await both.support.offer(call.id)
    assert (await both.support.claim(call.id)).status == 204
    await both.support.gets(call.id)
    both.asterisk.failing_moves.clear()
    await call.hangup()


async def test_when_the_links_owner_dies_the_other_settles_its_calls(template, tmp_path):
    async with pair(template, tmp_path, REDIS_URL=redis_url()) as both:
        waiting, held, won = [await both.offered() for _ in range(3)]
        assert (await both.support.claim(held.id)).status == 204
        await both.support.gets(held.id)
        await eventually(lambda: bool(both.record.broadcasts(held.id)[-1]["handed_over_at"]))
        await both.owner.kill()
        # Nobody holds the link now, but the row decides.
        assert (await both.support.claim(won.id)).status == 204
        await both.support.gets(won.id)
        assert await both.other.gauge("link_up") == 1
        assert (await both.support.claim(held.id))[:2] == TAKEN
        await both.support.offer(waiting.id)
        assert (await both.support.claim(waiting.id)).status == 204
        await both.support.gets(waiting.id)
        for call in (waiting, held, won):
            assert call.where == "stasis:support"
            await call.hangup()
        await eventually(lambda: not both.record.live())


async def test_without_a_channel_layer_between_them_the_deadline_finds_the_winner(
    template, tmp_path
):
    """Hints are not truth: nobody tells the owner of the claim, so it reads the row itself."""
    async with pair(template, tmp_path) as both:
        call = await both.call("brief")
        await both.ivr.offer(call.id)
        await eventually(lambda: bool(both.record.broadcasts(call.id)))
        assert (await both.support.claim(call.id)).status == 204
        await both.support.gets(call.id)
        await call.hangup()
        await eventually(lambda: not both.record.live())
        assert both.record.broadcasts(call.id)[-1]["winner"] == "support"


async def test_a_call_that_is_rescued_goes_to_a_winner_at_the_other_and_stays(template, tmp_path):
    settings = {"BROADCAST_RESCUE": "on", "BROADCAST_HANDOVER_MS": "1000"}
    async with pair(template, tmp_path, REDIS_URL=redis_url(), **settings) as both:
        call = await both.offered()
        assert (await both.ivr.claim(call.id)).status == 204
        await both.ivr.gets(call.id)
        await both.ivr.leave()
        await both.support.offer(call.id)
        assert (await both.support.claim(call.id)).status == 204
        await both.support.gets(call.id)
        await eventually(lambda: bool(both.record.broadcasts(call.id)[-1]["handed_over_at"]))
        await asyncio.sleep(1.5)
        assert call.where == "stasis:support"
        await call.hangup()
        await eventually(lambda: not both.record.live())
        assert both.record.broadcasts(call.id)[-1]["winner"] == "support"
