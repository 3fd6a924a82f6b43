"""A broker, a candidate, and a link to an Asterisk that is scripted."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import orjson

from broadcasts.broker import Broker, Principal
from broadcasts.broker.ports import Response
from broadcasts.domain.plan import Configuration
from broadcasts.domain.verdict import Verdict
from broadcasts.ledger import Ledger
from broadcasts.models import Broadcast
from broadcasts.service import tell
from tests.links import server as linked_server
from tests.service.cast import eventually

IVR = Principal("ivr")


class Candidate:
    """A candidate that is connected, and what it was offered."""

    principal = IVR

    def __init__(self):
        self.offers = 0

    def send(self, text):
        self.offers += orjson.loads(text)["type"] == "CallBroadcast"


class ScriptedLink:
    """A link to an Asterisk that holds one channel; asked for it, it runs `before_answer` first."""

    def __init__(self, server, channel):
        self.server = server
        self.channel = channel
        self.held_by = {"broadcast"}
        self.asked = []
        self.before_answer = None
        self.refusals = {}
        self.context_is_told = asyncio.Event()

    def request(self, method, uri, query=None, body=None):
        return asyncio.ensure_future(self._answer(method, uri))

    async def _answer(self, method, uri):
        self.asked.append((method, uri))
        if self.refusals.get(uri):
            return Response(self.refusals[uri].pop(), "")
        if method != "GET":
            return Response(204, b"")
        if uri.endswith("/variable"):
            await self.context_is_told.wait()
            return Response(200, b'{"value": "from-trunk"}')
        if uri.startswith("applications/"):
            held = [self.channel["id"]] if uri.partition("/")[2] in self.held_by else []
            return Response(200, orjson.dumps({"channel_ids": held}))
        if self.before_answer:
            happens, self.before_answer = self.before_answer, None
            happens()
            await asyncio.sleep(0.05)
        return Response(200, orjson.dumps(self.channel))

    def started(self, age=timedelta()):
        """Return the StasisStart of the channel, as old as this."""
        at = datetime.now(UTC) - age
        return {
            "type": "StasisStart",
            "application": "broadcast",
            "timestamp": at.isoformat(timespec="milliseconds").replace("+00:00", "+0000"),
            "args": ["5000"],
            "channel": self.channel,
            "asterisk_id": "02:00:00:00:00:01",
        }

    def left(self, kind="StasisEnd"):
        return {**self.started(), "type": kind}


class Stage:
    """A broker with a candidate, and a link that is not up yet."""

    def __init__(self, server, app_data="broadcast,5000"):
        self.ledger = Ledger(lambda outcomes: loop.call_soon_threadsafe(tell, outcomes))
        loop = asyncio.get_running_loop()
        self.ledger.start()
        self.broker = Broker(self.ledger, Configuration())
        self.server = linked_server(id=server.pk)
        self.broker.servers = {server.pk: self.server}
        self.candidate = Candidate()
        self.broker.candidates.join(server.pk, "ivr", self.candidate)
        self.channel = {
            "id": f"{uuid.uuid4()}",
            "name": "PJSIP/trunk-00000001",
            "caller": {"number": "", "name": ""},
            "dialplan": {
                "context": "default",
                "exten": "100",
                "priority": 1,
                "app_name": "Stasis",
                "app_data": app_data,
            },
        }
        self.link = self.broker.links[server.pk] = self.another_link()

    def another_link(self):
        return ScriptedLink(self.server, self.channel)

    async def claim(self):
        return await self.broker.claim(self.channel["id"], "ivr", IVR)

    async def win_and_come_back(self):
        """Let the candidate win the call and send it back to the dialplan."""
        self.broker.event(self.link, self.link.started())
        await eventually(lambda: self.candidate.offers == 1)
        assert await self.claim() is Verdict.WON
        self.broker.winner_started(self.server.id, "ivr", self.channel["id"])
        self.broker.event(self.link, self.link.left("ChannelDialplan"))
        await eventually(Broadcast.objects.exclude(ended_at=None).aexists)
        self.candidate.offers = 0
