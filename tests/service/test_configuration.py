"""Presets, rules and rounds decide calls; a change decides the next one, in every process."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest

from broadcasts.simulator import SimulatedAsterisk
from tests.databases import missing

from .cast import CANDIDATE, Candidate, eventually, free_port
from .installation import DIALPLAN, LONG, SHORT, Installation, preset, two_processes
from .stages import dialling_in


@pytest.fixture
async def asterisk() -> AsyncIterator[SimulatedAsterisk]:
    async with SimulatedAsterisk(dialplan=DIALPLAN) as simulated:
        yield simulated


@pytest.fixture
async def installation(asterisk, template, tmp_path) -> AsyncIterator[Installation]:
    """An installation that is not started yet."""
    with template.copied("sqlite", tmp_path) as url:
        installation = Installation(dialling_in(asterisk.url, url, tmp_path), url, tmp_path)
        yield installation
        await installation.close()
    assert installation.service.tracebacks == [], installation.service.log
    assert "secret" not in installation.service.log, "the candidates' password"


async def test_the_dialplan_names_a_preset_with_rounds(installation, asterisk):
    installation.configure(preset("vip", ("^ivr-", SHORT), ("", LONG), args="sales:high"))
    await installation.service.start()
    ivr, support = [await installation.candidate(app) for app in ("ivr-main", "support")]
    call = await asterisk.call("named")
    await ivr.offer(call.id)
    await support.offer(call.id)
    assert (await ivr.claim(call.id)).status == 204, "an earlier round's candidate may still claim"
    assert (await ivr.gets(call.id))["args"] == ["sales", "high"]
    assert (await support.claim(call.id)).status == 409
    row = await installation.recorded(call.id, winner="ivr-main")
    assert (row["preset_name"], row["preset_version"], row["rule_name"]) == ("vip", 1, "")
    assert (row["round"], row["candidate_count"]) == (2, 2)
    rounds = {one["application"]: one["round"] for one in installation.record.candidates(row)}
    assert rounds == {"ivr-main": 1, "support": 2}
    await call.hangup()


async def test_who_connects_between_two_rounds_is_offered_the_second(installation, asterisk):
    installation.configure(preset("vip", ("^ivr-", 2_000), ("", LONG)))
    await installation.service.start()
    ivr = await installation.candidate("ivr-main")
    call = await asterisk.call("named")
    await ivr.offer(call.id)
    support = await installation.candidate("support")
    await support.offer(call.id)
    assert (await support.claim(call.id)).status == 204
    await call.hangup()


async def test_a_round_that_nobody_is_there_for_is_skipped(installation, asterisk):
    installation.configure(preset("vip", ("^ivr-", LONG), ("^support$", LONG)))
    await installation.service.start()
    support = await installation.candidate("support")
    call = await asterisk.call("named")
    await support.offer(call.id)
    row = await installation.recorded(call.id, status="open")
    assert (row["round"], row["candidate_count"]) == (2, 1)
    await call.hangup()


async def test_after_the_last_round_the_call_times_out(installation, asterisk):
    installation.configure(preset("vip", ("^ivr-", SHORT), ("^support$", LONG), ("", SHORT)))
    await installation.service.start()
    ivr = await installation.candidate("ivr-main")
    call = await asterisk.call("named")
    await ivr.offer(call.id)
    await call.ended()
    assert call.variables["STASISSTATUS"] == "TIMEOUT"
    assert (await installation.recorded(call.id, status="timed_out"))["round"] == 3


async def test_a_restart_goes_on_with_the_rounds_that_are_left(installation, asterisk):
    installation.configure(preset("vip", ("^ivr-", 3_000), ("", LONG)))
    await installation.service.start()
    await installation.candidate("ivr-main")
    call = await asterisk.call("named")
    await installation.recorded(call.id, status="open", round=1)
    await installation.service.kill()
    await installation.service.start()
    support = await installation.candidate("support")
    await support.offer(call.id)
    assert (await support.claim(call.id)).status == 204
    row = await installation.recorded(call.id, winner="support", round=2)
    assert row["preset_name"] == "vip"
    await call.hangup()


async def test_an_unknown_preset_fails_the_call(installation, asterisk):
    await installation.service.start()
    support = await installation.candidate("support")
    call = await asterisk.call("named")
    await call.ended()
    assert call.variables["STASISSTATUS"] == "FAILED"
    row = await installation.recorded(call.id, status="failed", preset_name="vip")
    assert row["reason"] == "there is no preset 'vip'"
    await support.not_told_of(call.id)


async def test_a_rule_decides_where_the_dialplan_gives_no_filter(installation, asterisk):
    """The rule names the context that called the Gosub, which Asterisk has to be asked for."""
    rules = (
        {"name": "elsewhere", "context": "other", "preset": "wrong"},
        {"name": "here", "context": "default", "extension": "open", "preset": "right"},
    )
    installation.configure(
        preset("wrong", ("", LONG)), preset("right", ("^ivr-", LONG)), rules=rules
    )
    await installation.service.start()
    ivr, support = [await installation.candidate(app) for app in ("ivr-main", "support")]
    call = await asterisk.call("open")
    await ivr.offer(call.id)
    row = await installation.recorded(call.id, status="open", preset_name="right")
    assert (row["rule_name"], row["context"]) == ("here", "default")
    await support.not_told_of(call.id)
    await call.hangup()
    call = await asterisk.call("filtered")
    await support.offer(call.id)
    assert (await installation.recorded(call.id))["preset_name"] == ""
    await call.hangup()


@pytest.fixture
async def redis() -> AsyncIterator[str]:
    """The address of a Redis of this test's own."""
    if not shutil.which("redis-server"):
        missing("no redis-server")
    port = str(free_port())
    command = ("redis-server", "--port", port, "--save", "", "--loglevel", "warning")
    process = await asyncio.create_subprocess_exec(*command)
    yield f"redis://127.0.0.1:{port}/0"
    process.terminate()
    await process.wait()


@pytest.mark.postgres
@pytest.mark.redis
async def test_a_later_round_reaches_candidates_of_another_process(
    asterisk, redis, template, tmp_path
):
    async with AsyncExitStack() as stack:
        url = stack.enter_context(template.copied("postgresql", tmp_path))
        here, there = (dialling_in(asterisk.url, url, tmp_path, REDIS_URL=redis) for _ in range(2))
        installation = Installation(here, url, tmp_path)
        installation.configure(preset("vip", ("^ivr-", 1_000), ("", LONG)))
        stack.push_async_callback(there.stop)
        stack.push_async_callback(installation.close)
        await here.start()
        await there.start()
        ivr = await installation.candidate("ivr-main")
        support = await Candidate.connect(there.url, CANDIDATE, "support")
        stack.push_async_callback(support.leave)
        await eventually(lambda: len(installation.record.rows("presence")) == 2)
        call = await asterisk.call("named")
        await ivr.offer(call.id)
        await support.offer(call.id)
        await ivr.not_told_of(call.id)
        assert (await support.claim(call.id)).status == 204
        await support.gets(call.id)
        await call.hangup()
    assert [service.tracebacks for service in (here, there)] == [[], []]


@pytest.mark.postgres
async def test_a_change_decides_the_next_call_in_both_processes_within_a_second(template, tmp_path):
    async with two_processes(template, tmp_path) as (installation, asterisks):
        for version, app_filter in enumerate(("^nobody$", "^no-one$"), 1):
            installation.configure(
                preset("usual", (app_filter, LONG)), rules=({"name": "all", "preset": "usual"},)
            )
            await asyncio.sleep(1)
            for asterisk in asterisks:
                call = await asterisk.call("open")
                await call.ended()
                row = await installation.recorded(call.id, status="no_candidates")
                assert (row["preset_version"], row["app_filter"]) == (version, app_filter)
