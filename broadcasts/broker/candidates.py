"""Which candidate applications are connected, to whom, and which of them a filter admits."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache

from broadcasts.domain.app_filter import compile_filter
from broadcasts.domain.messages import Addressed, encode

from .ports import Session

json_name = lru_cache(maxsize=4096)(encode)

Joined = Callable[[int, str], None]


class Candidates:
    """The sessions of this process by server and application, and the names known elsewhere.

    `joined` is told of everyone who comes to any process, `left` of everyone who leaves all;
    `on_change` that there was a change on this process.
    """

    def __init__(self, joined: Joined, left: Joined) -> None:
        self._sessions: dict[int, dict[str, Session]] = defaultdict(dict)
        self._elsewhere: dict[int, frozenset[str]] = {}
        self._admitted: dict[tuple[int, str], tuple[str, ...]] = {}
        self._joined = joined
        self._left = left
        self.on_change: list[Callable[[], None]] = []

    def join(self, server_id: int, application: str, session: Session) -> Session | None:
        """Let a session speak for an application; returns the session that it replaces."""
        sessions = self._sessions[server_id]
        replaced = sessions.get(application)
        sessions[application] = session
        if replaced is None:
            self._note_change()
        self._joined(server_id, application)
        return replaced

    def leave(self, server_id: int, application: str, session: Session) -> None:
        """Forget a session, unless another one has taken its application over."""
        sessions = self._sessions[server_id]
        if sessions.get(application) is session:
            del sessions[application]
            self._note_change()
            if not self.is_connected(server_id, application):
                self._left(server_id, application)

    def _note_change(self) -> None:
        self._admitted.clear()
        for listener in self.on_change:
            listener()

    def session(self, server_id: int, application: str) -> Session | None:
        """Return the session that speaks for an application here, if there is one."""
        return self._sessions[server_id].get(application)

    def set_elsewhere(self, names: Mapping[int, Iterable[str]]) -> None:
        """Take note of the applications that are connected to other processes, by server."""
        known = {server_id: frozenset(applications) for server_id, applications in names.items()}
        if known == self._elsewhere:
            return
        before, self._elsewhere = self._elsewhere, known
        self._admitted.clear()
        for server_id in known.keys() | before.keys():
            here, there = self._sessions[server_id], known.get(server_id, frozenset())
            was_there = before.get(server_id, frozenset())
            for application in there - was_there:
                self._joined(server_id, application)
            for application in was_there - there - here.keys():
                self._left(server_id, application)

    def connected(self, server_id: int) -> list[str]:
        """Return every application that is connected to a server, in any process."""
        return sorted({*self._sessions[server_id], *self._elsewhere.get(server_id, ())})

    def here(self) -> list[tuple[int, str, Session]]:
        """Return what is connected to this process: server, application, session."""
        return [
            (server_id, application, session)
            for server_id, sessions in self._sessions.items()
            for application, session in sessions.items()
        ]

    def is_connected(self, server_id: int, application: str) -> bool:
        """Whether an application is connected to a server, in any process."""
        return application in self._sessions[server_id] or application in self._elsewhere.get(
            server_id, ()
        )

    def admitted(self, server_id: int, pattern: str) -> tuple[str, ...]:
        """Return the connected applications that a filter admits.

        Judged once per filter until somebody comes or goes. Raises FilterRefused.
        """
        key = (server_id, pattern)
        names = self._admitted.get(key)
        if names is None:
            app_filter = compile_filter(pattern)
            names = tuple(name for name in self.connected(server_id) if app_filter.admits(name))
            if len(self._admitted) >= 1024:
                self._admitted.clear()
            self._admitted[key] = names
        return names

    def first_round(
        self, server_id: int, filters: Sequence[str], first: int = 1
    ) -> tuple[int | None, tuple[str, ...]]:
        """Return the number of the first round that admits anyone now, and whom, in any order.

        Looks at the rounds from number `first` on; None when none of them does. Raises
        FilterRefused.
        """
        for number, pattern in enumerate(filters[first - 1 :], first):
            names = self.admitted(server_id, pattern)
            if names:
                # Shuffled, so that nobody is always first.
                return number, tuple(random.sample(names, len(names)))
        return None, ()

    def send(self, server_id: int, applications: Iterable[str], message: Addressed) -> list[str]:
        """Send a message to those connected here; returns the names that are not."""
        sessions = self._sessions[server_id]
        missed = []
        for application in applications:
            session = sessions.get(application)
            if session is None:
                missed.append(application)
            else:
                session.send(message.to(json_name(application)))
        return missed
