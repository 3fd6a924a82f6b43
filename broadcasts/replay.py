"""Replay: whom a draft would have offered the broadcasts of a period to. Nothing is written.

Each recorded broadcast is judged with the applications that were connected to its server when it
began, and with as many of the draft's rounds as would have begun while it waited. So a draft that
changes nothing reaches whom the broadcast reached, but for those who came between its rounds.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import Q

from broadcasts.domain.app_filter import compile_filter
from broadcasts.domain.plan import PlannedRound
from broadcasts.models import Broadcast, Candidate, Connection

# The newest broadcasts of a period that are looked at, and how many are read at a time.
MOST_BROADCASTS = 20_000
CHUNK = 500

Names = frozenset[str]


@dataclass
class Replay:
    """What a draft would have made different.

    examined: broadcasts looked at; `complete` unless the period has more of them.
    changed: those that would have reached others; `unreached`: nobody at all, but somebody did.
    lost_winners: those whose winner would not have been asked.
    gains, losses: how many broadcasts more or fewer each application would have been offered.
    """

    examined: int = 0
    complete: bool = True
    changed: int = 0
    unreached: int = 0
    lost_winners: int = 0
    gains: Counter[str] = field(default_factory=Counter)
    losses: Counter[str] = field(default_factory=Counter)

    def count(self, reached: Names, would_reach: Names, winner: str) -> None:
        """Take one broadcast in."""
        self.examined += 1
        if reached == would_reach:
            return
        self.changed += 1
        self.unreached += not would_reach
        self.lost_winners += bool(winner) and winner not in would_reach
        self.gains.update(would_reach - reached)
        self.losses.update(reached - would_reach)


class Recorded(NamedTuple):
    """What of a broadcast decides whom a draft would have reached."""

    pk: int
    server_id: int
    opened_at: datetime
    claimed_at: datetime | None
    ended_at: datetime | None
    deadline: datetime
    winner: str

    @property
    def waited_ms(self) -> float:
        """How long it was offered, in milliseconds."""
        until = self.claimed_at or min(self.ended_at or self.deadline, self.deadline)
        return (until - self.opened_at).total_seconds() * 1000


def replay(
    rounds: Sequence[PlannedRound],
    start: datetime,
    end: datetime,
    *,
    server_id: int | None = None,
    preset_name: str | None = None,
) -> Replay:
    """Run a draft over the broadcasts that began from `start` to before `end`.

    With `server_id` or `preset_name` only over those of a server, or that used a preset.

    Raises:
        FilterRefused: one of the draft's filters cannot be used.
    """
    draft, result = Draft(rounds), Replay()
    broadcasts = Broadcast.objects.filter(opened_at__gte=start, opened_at__lt=end)
    if server_id is not None:
        broadcasts = broadcasts.filter(server_id=server_id)
    if preset_name is not None:
        broadcasts = broadcasts.filter(preset_name=preset_name)
    newest = broadcasts.order_by("-opened_at", "-pk").values_list(*Recorded._fields)
    rows = [Recorded(*row) for row in newest[: MOST_BROADCASTS + 1]]
    result.complete = len(rows) <= MOST_BROADCASTS
    rows = rows[:MOST_BROADCASTS][::-1]
    attendance = Attendance(rows)
    for row, reached in with_candidates(rows):
        present = attendance.at(row.server_id, row.opened_at) | reached
        result.count(reached, draft.reaches(present, row.waited_ms), row.winner)
    return result


def with_candidates(rows: Sequence[Recorded]) -> Iterator[tuple[Recorded, Names]]:
    """Yield each broadcast with the applications that it was offered to."""
    for first in range(0, len(rows), CHUNK):
        chunk = rows[first : first + CHUNK]
        names: dict[int, set[str]] = defaultdict(set)
        offered = Candidate.objects.filter(broadcast_id__in=[row.pk for row in chunk])
        for broadcast_id, application in offered.values_list("broadcast_id", "application"):
            names[broadcast_id].add(application)
        yield from ((row, frozenset(names[row.pk])) for row in chunk)


class Draft:
    """The rounds that are tried out; an application is judged once per filter."""

    def __init__(self, rounds: Sequence[PlannedRound]) -> None:
        self._rounds = [(compile_filter(one.app_filter), one.timeout_ms) for one in rounds]
        self._admitted: dict[tuple[str, str], bool] = {}
        self._reached: dict[Names, list[tuple[float, Names]]] = {}

    def reaches(self, present: Names, waited_ms: float) -> Names:
        """Return who would have been offered a call that waited so long."""
        reached: Names = frozenset()
        for begins_ms, names in self._begun(present):
            if reached and begins_ms >= waited_ms:
                break
            reached |= names
        return reached

    def _begun(self, present: Names) -> list[tuple[float, Names]]:
        """Return when each round begins that admits anyone, and whom it admits."""
        begun = self._reached.get(present)
        if begun is None:
            if len(self._reached) >= CHUNK:
                self._reached.clear()
            begun = self._reached[present] = list(self._timeline(present))
        return begun

    def _timeline(self, present: Names) -> Iterator[tuple[float, Names]]:
        begins_ms = 0.0
        for app_filter, timeout_ms in self._rounds:
            names = frozenset(name for name in present if self._admits(app_filter, name))
            if names:
                yield begins_ms, names
                begins_ms += timeout_ms

    def _admits(self, app_filter: Any, name: str) -> bool:
        key = (app_filter.pattern, name)
        if key not in self._admitted:
            self._admitted[key] = app_filter.admits(name)
        return self._admitted[key]


class Attendance:
    """Who was connected to each server; to be asked in the order of time."""

    def __init__(self, rows: Sequence[Recorded]) -> None:
        self._coming: list[tuple[datetime, int, int, str]] = []
        self._present: dict[int, Counter[str]] = defaultdict(Counter)
        self._names: dict[int, Names] = {}
        if rows:
            self._read(rows[0].opened_at, rows[-1].opened_at)

    def _read(self, start: datetime, end: datetime) -> None:
        overlapping = Connection.objects.filter(Q(until=None) | Q(until__gt=start), since__lte=end)
        columns = ("server_id", "application", "since", "until")
        for server_id, application, since, until in overlapping.values_list(*columns).iterator():
            self._coming.append((since, 1, server_id, application))
            if until is not None:
                self._coming.append((until, -1, server_id, application))
        self._coming.sort(reverse=True)

    def at(self, server_id: int, moment: datetime) -> Names:
        """Return who was connected to a server, in any process."""
        while self._coming and self._coming[-1][0] <= moment:
            _, step, changed, application = self._coming.pop()
            self._present[changed][application] += step
            self._names.pop(changed, None)
        if server_id not in self._names:
            self._names[server_id] = frozenset(+self._present[server_id])
        return self._names[server_id]
