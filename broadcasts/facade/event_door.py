"""The handshake of /ari/events: who may speak for which applications."""

import asyncio
from collections.abc import Sequence

from broadcasts.broker.broker import may_speak_for
from broadcasts.broker.ports import Principal

from . import answers
from .answers import Answer, Receive, Scope, Send
from .events import POLICY_VIOLATION, CandidateSession
from .parameters import parse_pairs
from .shared import Shared

MAX_NAME = 255
MAX_NAMES = 100


class HandshakeRefused(Exception):
    """The socket is not opened; `answer` says why."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


class EventDoor:
    """Opens candidates' sockets and knows which of them speaks for a name."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._sessions: set[CandidateSession] = set()
        self._speakers: dict[str, CandidateSession] = {}

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send, principal: Principal
    ) -> None:
        """Serve an authenticated WebSocket whose `websocket.connect` has been received."""
        try:
            names, query = self._registration(scope["query_string"], principal)
        except HandshakeRefused as refused:
            await refused.answer.refuse_handshake(scope, receive, send)
            return
        session = CandidateSession(self._shared, principal, names, query)
        self._sessions.add(session)
        try:
            await session.run(scope, receive, send, lambda: self._take_over(session))
        finally:
            self._sessions.discard(session)
            for name in names:
                if self._speakers.get(name) is session:
                    del self._speakers[name]

    def sync(self) -> None:
        """The servers, their links or the credentials changed: every session adapts to it."""
        for session in list(self._sessions):
            if self._shared.credentials.is_current(session.principal):
                session.sync()
            else:
                session.end(POLICY_VIOLATION)

    async def close(self) -> None:
        """Leave every Asterisk; the candidates are told to come back."""
        await asyncio.gather(*(session.stop() for session in self._sessions))

    def _take_over(self, session: CandidateSession) -> None:
        for name in session.applications:
            previous = self._speakers.get(name)
            self._speakers[name] = session
            if previous:
                previous.supersede(name)

    def _registration(
        self, query: bytes, principal: Principal
    ) -> tuple[list[str], list[tuple[str, str]]]:
        """Return the names to register and the other parameters; raises HandshakeRefused."""
        try:
            pairs = parse_pairs(query)
        except UnicodeDecodeError:
            raise HandshakeRefused(answers.BAD_ENCODING) from None
        # The first one counts (ast_variable_find_in_list in res/ari/ari_websockets.c).
        listed = next((value for name, value in pairs if name == "app"), "")
        if not listed:
            raise HandshakeRefused(answers.NO_APP)
        names = list(dict.fromkeys(name.strip() for name in listed.split(",")))
        self._judge(names, principal)
        return names, [pair for pair in pairs if pair[0] not in ("app", "")]

    def _judge(self, names: Sequence[str], principal: Principal) -> None:
        own = {server.application for server in self._shared.broker.servers.values()}
        if len(names) > MAX_NAMES:
            raise HandshakeRefused(answers.BAD_APP)
        for name in names:
            if not name or len(name) > MAX_NAME or not name.isprintable():
                raise HandshakeRefused(answers.BAD_APP)
            if name in own:
                raise HandshakeRefused(
                    Answer(403, f"Application {name} is the one that calls are broadcast from")
                )
            if not may_speak_for(principal.applications, name):
                raise HandshakeRefused(
                    Answer(403, f"These credentials may not speak for application {name}")
                )
