"""What one transaction of the ledger writes.

The row decides: a claim wins by one conditional UPDATE on the broadcast's own columns, and by
nothing else.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from broadcasts.domain.happenings import EndingDecided, Reopened, RowSeen
from broadcasts.domain.lifecycle import STASIS_STATUS, StasisStatus, Status, sources
from broadcasts.domain.verdict import LOST, Verdict
from broadcasts.models import Broadcast, Candidate

from .entries import (
    Attempt,
    ClaimResult,
    Ending,
    Entry,
    HandedOver,
    HangUp,
    LedgerError,
    Look,
    Opening,
    Reopening,
    RoundBegun,
    RowState,
    SessionEnd,
    TryClaim,
    moment,
)
from .statements import (
    ATTEMPT,
    CANDIDATE,
    CLAIM,
    HANDED_OVER,
    HANG_UP,
    LOCK,
    SESSION_END,
    broadcast_values,
    open_broadcasts,
    time_value,
)

REASON_LENGTH = 255
# What changes the row of a broadcast that other processes may be changing, too.
CHANGES = (TryClaim, RoundBegun, Ending, Reopening, HandedOver, SessionEnd, HangUp)


def milliseconds(start: datetime, end: datetime) -> float:
    return (end - start).total_seconds() * 1000


class Commit:
    """Applies a group of entries, in the order in which they were submitted.

    Must run inside a transaction; `apply` returns what to tell whom once that is committed.
    """

    def __init__(self) -> None:
        self._attempts: list[tuple[Any, ...]] = []
        self._notes: dict[str, list[tuple[Any, ...]]] = {}
        self._states: dict[int, RowState] = {}

    def apply(self, group: list[Entry]) -> list[tuple[Callable[[Any], None], Any]]:
        with connection.cursor() as self._cursor:
            self._lock(group)
            self._open([entry for entry in group if is_first(entry)])
            outcomes = [(entry.done, HANDLERS[type(entry)](self, entry)) for entry in group]
            self._write_notes()
            self._insert(ATTEMPT, self._attempts)
        return outcomes

    def _lock(self, group: list[Entry]) -> None:
        """Lock what the group will change before it changes anything, where rows are locked.

        Two ledgers that locked the same rows as their entries come would wait for each other: a
        second, until PostgreSQL sees it, in which no claim of either process is answered.
        """
        changes = [entry for entry in group if isinstance(entry, CHANGES)]
        if len(changes) > 1 and connection.features.has_select_for_update:
            keys = [entry.row.pk for entry in changes if entry.row and entry.row.pk]
            claims = [entry for entry in changes if isinstance(entry, TryClaim)]
            channels = [entry.channel_id for entry in claims if entry.row is None]
            self._cursor.execute(LOCK, [keys, channels])

    # Opening

    def _open(self, openings: list[Opening]) -> None:
        """Insert broadcasts and candidates; nothing else of the group can precede these."""
        if not openings:
            return
        rows = [opening.row for opening in openings]
        parameters = [value for row in rows for value in broadcast_values(row)]
        self._cursor.execute(open_broadcasts(len(rows)), parameters)
        for row, (key,) in zip(rows, self._cursor.fetchall(), strict=True):
            row.pk = key
        candidates = [values for opening in openings for values in candidate_values(opening)]
        self._insert(CANDIDATE, candidates)

    def _insert(self, statement: str, rows: list[tuple[Any, ...]]) -> None:
        if rows:
            self._cursor.executemany(statement, rows)

    def _opening(self, entry: Opening) -> None:
        if not entry.replaces:
            return
        self._write_notes()
        older = Broadcast.objects.of_channel(entry.row.server_id, entry.row.channel_id).live()
        older.open().update(
            status=Status.ABANDONED,
            stasis_status=STASIS_STATUS[Status.ABANDONED],
            reason="the channel entered a new broadcast",
            ended_at=entry.row.opened_at,
        )
        older.update(ended_at=entry.row.opened_at, stasis_status=StasisStatus.SUCCESS)
        self._open([entry])

    def _round_begun(self, entry: RoundBegun) -> LedgerError | None:
        row, at = entry.row, time_value(moment(entry.at))
        if row.pk is None:
            return LedgerError("the broadcast was not recorded")
        rows = Broadcast.objects.filter(pk=row.pk, seal=None)
        if not rows.update(
            round=entry.number,
            deadline=moment(entry.deadline),
            candidate_count=entry.offered_before + len(entry.candidates),
        ):
            return None  # What has been sealed stays as it is.
        positions = enumerate(entry.candidates, entry.offered_before + 1)
        candidates = [
            (row.pk, application, position, entry.number, entry.reached_by, at)
            for position, application in positions
        ]
        self._insert(CANDIDATE, candidates)
        return None

    # Claims

    def _try_claim(self, entry: TryClaim) -> ClaimResult | LedgerError:
        row = entry.row or self._find(entry)
        if row is None:
            if entry.note_unknown:
                return self._answer(entry, None, Verdict.UNKNOWN)
            return ClaimResult(Verdict.UNKNOWN)
        if row.pk is None:
            return LedgerError("the broadcast was not recorded")
        if entry.row is None and row.status != Status.OPEN:
            # Not to be claimed either should it be open again by now: nobody has judged the claim.
            return self._answer(entry, row, self._lost(row, entry))
        refusal = None if entry.row else self._refusal(entry, row)
        if refusal:
            return self._answer(entry, row, refusal)
        won = self._claim(row, entry)
        return self._answer(entry, row, Verdict.WON if won else self._lost(row, entry))

    def _claim(self, row: Broadcast, entry: TryClaim) -> bool:
        """Claim the row if it is open: whoever's UPDATE matches it has won."""
        application, at = entry.claim.application, moment(entry.claim.at)
        claim_ms = milliseconds(row.opened_at, at)
        self._cursor.execute(CLAIM, [application, time_value(at), claim_ms, row.pk])
        if self._cursor.rowcount != 1:
            return False
        row.claimed_at = at
        self._states[row.pk] = RowState(Status.CLAIMED, application, False, False, at)
        return True

    def _lost(self, row: Broadcast, entry: TryClaim) -> Verdict:
        state = self._state(row)
        row.claimed_at = state.claimed_at
        claim = (entry.claim.application, moment(entry.claim.at))
        if state.status is Status.CLAIMED and (state.winner, state.claimed_at) == claim:
            # This very claim: it was committed, but the connection was lost before we were told.
            return Verdict.WON
        if state.ended and state.status is Status.CLAIMED:
            return Verdict.ENDED
        # What was taken, and is open again since, was taken when it was asked for.
        return LOST.get(state.status, Verdict.TAKEN)

    def _find(self, entry: TryClaim) -> Broadcast | None:
        """Find the broadcast of a claim that memory cannot place, as after a restart.

        Of several with the same channel id a live one, else the newest; of several servers' live
        ones that which was offered.
        """
        rows = list(Broadcast.objects.filter(channel_id=entry.channel_id).newest_first()[:8])
        live = [row for row in rows if row.ended_at is None]
        if len(live) > 1:
            live.sort(key=lambda row: self._candidate(row, entry) is None)
        return next(iter(live or rows), None)

    @staticmethod
    def _candidate(row: Broadcast, entry: TryClaim) -> Candidate | None:
        return row.candidates.filter(application=entry.claim.application).first()

    def _refusal(self, entry: TryClaim, row: Broadcast) -> Verdict | None:
        """Judge a claim that no arbiter has judged."""
        candidate = self._candidate(row, entry)
        if candidate and candidate.failed_at:
            return Verdict.NOT_OFFERED
        if row.server_id in entry.any_name_at:
            refusal = entry.claim.refusal
            return refusal if refusal is Verdict.NOT_ALLOWED else None
        return entry.claim.refusal if candidate else Verdict.NOT_OFFERED

    def _answer(self, entry: TryClaim, row: Broadcast | None, verdict: Verdict) -> ClaimResult:
        if verdict is Verdict.WON or entry.note_lost:
            self._note_attempt(entry, row, verdict)
        state = self._states.get(row.pk) if row else None
        return ClaimResult(verdict, state.winner if state else "", row.pk if row else None)

    def _note_attempt(
        self, entry: TryClaim | Attempt, row: Broadcast | None, verdict: Verdict
    ) -> None:
        at = moment(entry.claim.at)
        behind = row and row.claimed_at and verdict is not Verdict.WON
        self._attempts.append(
            (
                row.pk if row else None,
                entry.channel_id,
                entry.claim.application,
                entry.claim.user,
                time_value(at),
                verdict.http_status,
                verdict.value,
                milliseconds(row.opened_at, at) if row else None,
                milliseconds(row.claimed_at, at) if behind else None,
            )
        )

    def _attempt(self, entry: Attempt) -> None:
        if entry.row is None or entry.row.pk is not None:
            self._note_attempt(entry, entry.row, entry.verdict)

    # The rest of the lifecycle

    def _ending(self, entry: Ending) -> EndingDecided | LedgerError:
        if entry.row.pk is None:
            return LedgerError("the broadcast was not recorded")
        landed = self._movable(entry.row, entry.status).update(
            status=entry.status,
            reason=entry.reason[:REASON_LENGTH],
            stasis_status=STASIS_STATUS[entry.status],
            ended_at=moment(entry.at),
        )
        if landed:
            return EndingDecided(True, entry.status)
        state = self._state(entry.row)
        return EndingDecided(False, state.status, state.winner, state.held)

    def _reopening(self, entry: Reopening) -> Reopened | LedgerError:
        if entry.row.pk is None:
            return LedgerError("the broadcast was not recorded")
        rows = self._movable(entry.row, Status.OPEN).filter(winner=entry.application)
        if not rows.update(
            status=Status.OPEN, winner="", claimed_at=None, claim_ms=None, handed_over_at=None
        ):
            state = self._state(entry.row)
            return Reopened(state.status, entry.at, state.winner, state.held)
        # What is asked for from now on is behind no winner.
        entry.row.claimed_at = entry.row.handed_over_at = None
        Candidate.objects.filter(broadcast_id=entry.row.pk, application=entry.application).update(
            failed_at=moment(entry.at), failure=entry.reason[:REASON_LENGTH]
        )
        return Reopened(Status.OPEN, entry.at)

    def _movable(self, row: Broadcast, target: Status) -> QuerySet[Broadcast]:
        """Return the row, if the lifecycle allows it to move to `target` from where it stands.

        Not if another process, which has the link by now, has handed the call over.
        """
        self._write_notes()
        self._states.pop(row.pk, None)
        unheld = Q(handed_over_at=None) | Q(handed_over_at=row.handed_over_at)
        return Broadcast.objects.live().filter(unheld, pk=row.pk, status__in=sources(target))

    def _handed_over(self, entry: HandedOver) -> None:
        entry.row.handed_over_at = moment(entry.at)
        self._note(HANDED_OVER, time_value(entry.row.handed_over_at), entry.row.pk)

    def _session_end(self, entry: SessionEnd) -> None:
        at, start = moment(entry.at), entry.row.handed_over_at
        self._states.pop(entry.row.pk, None)
        talk_ms = max(0, round(milliseconds(start, at))) if start else None
        self._note(SESSION_END, time_value(at), talk_ms, entry.row.pk)

    def _hang_up(self, entry: HangUp) -> None:
        at = time_value(moment(entry.at))
        self._note(HANG_UP, at, entry.cause, entry.cause_text, entry.row.pk)

    def _note(self, statement: str, *parameters: Any) -> None:
        """Keep what nobody waits for until something depends on it: one statement for many."""
        self._notes.setdefault(statement, []).append(parameters)

    def _write_notes(self) -> None:
        for statement in (HANDED_OVER, SESSION_END, HANG_UP):
            if parameters := self._notes.pop(statement, None):
                self._cursor.executemany(statement, parameters)

    def _look(self, entry: Look) -> RowSeen:
        self._states.pop(entry.row.pk, None)
        state = self._state(entry.row)
        return RowSeen(state.status, state.winner)

    def _state(self, row: Broadcast) -> RowState:
        """Return the row as it stands, read at most once between this group's changes to it."""
        state = self._states.get(row.pk)
        if state is None:
            self._write_notes()
            columns = ("status", "winner", "ended_at", "handed_over_at", "claimed_at")
            found = Broadcast.objects.values_list(*columns).get(pk=row.pk)
            status, winner, ended_at, handed_over_at, claimed_at = found
            ended, held = ended_at is not None, bool(handed_over_at or ended_at)
            state = RowState(Status(status), winner, ended, held, claimed_at)
            self._states[row.pk] = state
        return state


def candidate_values(opening: Opening) -> Iterator[tuple[Any, ...]]:
    """Return the parameters of a broadcast's candidates."""
    key, offered_at = opening.row.pk, time_value(opening.row.opened_at)
    for position, application in enumerate(opening.candidates, 1):
        yield key, application, position, opening.row.round, opening.reached_by, offered_at


def is_first(entry: Entry) -> bool:
    """Whether an entry opens a broadcast whose channel has no older one to end first."""
    return isinstance(entry, Opening) and not entry.replaces


HANDLERS: dict[type, Callable[[Commit, Any], Any]] = {
    Opening: Commit._opening,
    RoundBegun: Commit._round_begun,
    TryClaim: Commit._try_claim,
    Attempt: Commit._attempt,
    Ending: Commit._ending,
    Reopening: Commit._reopening,
    HandedOver: Commit._handed_over,
    SessionEnd: Commit._session_end,
    HangUp: Commit._hang_up,
    Look: Commit._look,
}
