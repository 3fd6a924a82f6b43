"""Replay: whom a draft would have offered the broadcasts of a period to. Nothing is written.

Each recorded broadcast is judged with the applications that were connected to its server when it
began, and with as many of the draft's rounds as would have begun while it waited. So a draft that
changes nothing reaches whom the broadcast reached, but for those who came between its rounds.

A period is looked at in slices, from its newest broadcast back, each read by itself: none takes
long, and whoever asks may stop in between.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Min, Q, QuerySet
from django.utils import timezone

from broadcasts.domain.app_filter import compile_filter
from broadcasts.domain.plan import PlannedRound
from broadcasts.models import Broadcast, Candidate, Connection

# The broadcasts of a slice: a fraction of a second's work.
SLICE = 1_000
# As many sets of connected applications are remembered with whom a draft reaches of them.
MOST_REMEMBERED = 500

Names = frozenset[str]


@dataclass
class Replay:
    """What a draft would have made different.

    examined: broadcasts looked at.
    changed: those that would have reached others; `unreached`: nobody at all, but somebody did.
    lost_winners: those whose winner would not have been asked.
    gains, losses: how many broadcasts more or fewer each application would have been offered.
    place: where the next slice goes on; None when none is left.
    """

    examined: int = 0
    changed: int = 0
    unreached: int = 0
    lost_winners: int = 0
    gains: Counter[str] = field(default_factory=Counter)
    losses: Counter[str] = field(default_factory=Counter)
    place: "Place | None" = None

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

    def add(self, older: "Replay") -> None:
        """Take in what came of the slice that follows."""
        self.examined += older.examined
        self.changed += older.changed
        self.unreached += older.unreached
        self.lost_winners += older.lost_winners
        self.gains.update(older.gains)
        self.losses.update(older.losses)
        self.place = older.place


class Place(NamedTuple):
    """How far a replay has come: the broadcasts before this one are still to be looked at."""

    opened_at: datetime
    pk: int


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


@dataclass(frozen=True)
class Chosen:
    """The broadcasts that began from `start` to before `end`.

    With `server_id` or `preset_name` only those of a server, or that used a preset.
    """

    start: datetime
    end: datetime
    server_id: int | None = None
    preset_name: str | None = None

    def before(self, place: Place | None) -> "QuerySet[Broadcast]":
        """Return those that are still to be looked at, the newest first."""
        chosen = Broadcast.objects.filter(opened_at__gte=self.start, opened_at__lt=self.end)
        if self.server_id is not None:
            chosen = chosen.filter(server_id=self.server_id)
        if self.preset_name is not None:
            chosen = chosen.filter(preset_name=self.preset_name)
        if place is not None:
            older = Q(opened_at__lt=place.opened_at) | Q(pk__lt=place.pk)
            chosen = chosen.filter(older, opened_at__lte=place.opened_at)
        return chosen.order_by("-opened_at", "-pk")

    def share_done(self, place: Place | None) -> float:
        """Return how much of the period is done, from 0 to 1, by its time."""
        if place is None:
            return 1.0
        oldest = Broadcast.objects.aggregate(oldest=Min("opened_at"))["oldest"] or self.start
        begin, end = max(self.start, oldest), min(self.end, timezone.now())
        return max(0.0, min(1.0, (end - place.opened_at) / max(end - begin, timedelta.resolution)))


def replay(rounds: Sequence[PlannedRound], chosen: Chosen, most: int) -> Replay:
    """Run a draft over the newest `most` of the chosen broadcasts, or a few more.

    Raises:
        FilterRefused: one of the draft's filters cannot be used.
    """
    result = replay_slice(rounds, chosen)
    while result.place is not None and result.examined < most:
        result.add(replay_slice(rounds, chosen, result.place))
    return result


def replay_slice(
    rounds: Sequence[PlannedRound], chosen: Chosen, place: Place | None = None
) -> Replay:
    """Run a draft over the newest of the chosen broadcasts, or over those before a place.

    Raises:
        FilterRefused: one of the draft's filters cannot be used.
    """
    draft, result = Draft(rounds), Replay()
    newest = chosen.before(place).values_list(*Recorded._fields)
    rows = [Recorded(*row) for row in newest[: SLICE + 1]]
    if len(rows) > SLICE:
        rows.pop()
        result.place = Place(rows[-1].opened_at, rows[-1].pk)
    rows.reverse()
    attendance, offered = Attendance(rows), candidates_of(rows)
    for row in rows:
        reached = frozenset(offered[row.pk])
        present = attendance.at(row.server_id, row.opened_at)
        if not reached <= present:
            present |= reached
        result.count(reached, draft.reaches(present, row.waited_ms), row.winner)
    return result


def candidates_of(rows: Sequence[Recorded]) -> Mapping[int, set[str]]:
    """Return the applications that each broadcast was offered to, by its key."""
    names: dict[int, set[str]] = defaultdict(set)
    offered = Candidate.objects.filter(broadcast_id__in=[row.pk for row in rows])
    for broadcast_id, application in offered.values_list("broadcast_id", "application"):
        names[broadcast_id].add(application)
    return names


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
            if len(self._reached) >= MOST_REMEMBERED:
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
