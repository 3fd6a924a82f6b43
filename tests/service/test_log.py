"""What the log tells of whole calls: everything but who the caller is."""

from collections.abc import AsyncIterator

import pytest

from broadcasts.simulator import SimulatedAsterisk

from .installation import LONG, SHORT, Installation, preset
from .stages import dialling_in

NUMBER, NAME = "+15551234567", "Example Caller"
CALLER = {"caller_number": NUMBER, "caller_name": NAME}

DIALPLAN = f"""
[default]
; As for the mailbox of whoever calls.
exten => {NUMBER},1,Gosub(stasis-broadcast,s,1(300))
 same => n,Hangup()
exten => open,1,Gosub(stasis-broadcast,s,1)
 same => n,Hangup()
exten => named,1,Gosub(stasis-broadcast,s,1(,@vip))
 same => n,Hangup()
exten => refused,1,Gosub(stasis-broadcast,s,1(5000,(${{CALLERID(num)}}))
 same => n,Hangup()
exten => odd,1,Gosub(stasis-broadcast,s,1(${{CALLERID(num)}},,${{CALLERID(name)}},maybe))
 same => n,Hangup()
"""


@pytest.fixture
async def asterisk() -> AsyncIterator[SimulatedAsterisk]:
    async with SimulatedAsterisk(dialplan=DIALPLAN) as simulated:
        yield simulated


@pytest.fixture
async def installation(asterisk, template, tmp_path) -> AsyncIterator[Installation]:
    with template.copied("sqlite", tmp_path) as url:
        service = dialling_in(asterisk.url, url, tmp_path, BROADCAST_TIMEOUT_MS="2000")
        installation = Installation(service, url, tmp_path)
        installation.configure(preset("vip", ("^ivr-", SHORT), ("", LONG)))
        await installation.service.start()
        yield installation
        await installation.close()


async def test_no_line_tells_who_calls(installation, asterisk):
    ivr = await installation.candidate("ivr-main")
    won = await asterisk.call("open", **CALLER)
    await ivr.offer(won.id)
    assert (await ivr.claim(won.id)).status == 204
    await ivr.gets(won.id)
    await won.hangup()
    abandoned = await asterisk.call("named", **CALLER)
    await ivr.offer(abandoned.id)
    await abandoned.hangup()
    for exten, status in ((NUMBER, "timed_out"), ("refused", "failed"), ("odd", "timed_out")):
        call = await asterisk.call(exten, **CALLER)
        await call.ended()
        row = await installation.recorded(call.id, status=status)
        assert row["caller_number"] == NUMBER
    await installation.recorded(abandoned.id, status="abandoned")
    log = installation.service.log
    assert log.count("→") >= 5
    for told in (NUMBER, NUMBER.lstrip("+"), NAME):
        assert told not in log
