"""Verification: walks the chain in order and says what is not as it was sealed.

Nothing is written, nothing locked, and however long the record is, one batch of it is in memory.
The service may seal, replace and remove meanwhile.
"""

from collections.abc import Callable, Sequence

from django.db.models import Exists, OuterRef, QuerySet

from broadcasts.domain.seal import BEGINNING, differing
from broadcasts.models import Broadcast, RetentionNote, Seal

from . import facts
from .chain import as_anchor, chained, head
from .findings import Finding, Report, described, moment, spanning, subject_of
from .reading import SINGLES, Records
from .retention import is_genuine
from .waiting import is_of_a_value, unreadable, unsealed

# As many keys as every SQLite takes parameters.
BATCH = 900

# What a broadcast is named by.
NAMED = ("id", "channel_id", "opened_at", "ended_at")
# A broadcast's key, and the number of its seal.
MARK = ("pk", "seal")

# Of a big integer: what is put in may have any key.
LEAST_KEY = -(2**63)

Progress = Callable[[int, int], None]


class CannotStart(Exception):
    """The chain has no such place to begin at."""


class Verification:
    """One walk from seal `start`, by default the first, to the end; `run` returns the report.

    `expected` is an anchor: a number and the chain as it was there. Raises CannotStart.
    """

    def __init__(self, start: int | None = None, expected: tuple[int, bytes] | None = None) -> None:
        self.report = Report()
        self._start = start
        self._expected = expected
        self._head = head()
        # What the next seal may follow: the chain as it is kept, and as it should be; empty, where
        # seals are missing, it is not known.
        self._bases: set[bytes] = {BEGINNING}
        self._last = 0
        # Up to which keys single records were compared with seals, and which beyond are sealed.
        self._keys = dict.fromkeys(SINGLES, LEAST_KEY)
        self._sealed: dict[str, set[int]] = {kind: set() for kind in SINGLES}
        self._found: list[Finding] = []
        self._named: set[int] = set()

    def run(self, progress: Progress = lambda done, total: None) -> Report:
        self._begin()
        first = self._last
        while seals := self._next():
            self._check(seals)
            progress(self._last - first, self._head.number - first)
        self._check_end()
        self._check_singles(Seal.Kind.ATTEMPT, self._head.attempts)
        self._check_singles(Seal.Kind.ACCESS, self._head.accesses)
        self._check_marks()
        self._check_waiting()
        self._check_expected()
        self.report.anchor = as_anchor(self._head.number, self._head.chain)
        self.report.sealed_until = self._head.horizon
        self.report.unsealed = self._unsealed()
        return self.report

    # Where it begins

    def _begin(self) -> None:
        self._begin_behind_notes()
        if self._start is None:
            return
        if self._start <= self._last:
            raise CannotStart(f"The chain begins with seal {self._last + 1}.")
        if self._start > self._head.number:
            raise CannotStart(f"The chain ends with seal {self._head.number}.")
        if self._start > self._last + 1:
            self._begin_behind(self._start - 1)

    def _begin_behind(self, number: int) -> None:
        """Take what was sealed until then as it is."""
        before = Seal.objects.filter(number__lte=number).order_by("-number")
        for kind in SINGLES:
            last = before.filter(kind=kind).values_list("subject", flat=True).first()
            self._keys[kind] = last or LEAST_KEY
        link = before.filter(number=number).first()
        self._last, self._bases = number, {bytes(link.chain)} if link else set()

    def _begin_behind_notes(self) -> None:
        """Begin behind what has gone by the retention, if the notes of that are genuine."""
        for note in RetentionNote.objects.order_by("through", "pk"):
            told = f"the note of retention of {moment(note.at)}"
            if not is_genuine(note):
                self._fault(f"{told} was changed, or is forged")
                continue
            if note.first != self._last + 1:
                self._fault(f"{told} begins with seal {note.first}, not with {self._last + 1}")
            self._last, self._bases = note.through, {bytes(note.chain)}
        self.report.removed_through = self._last
        self._keep_found()

    # The walk

    def _next(self) -> list[Seal]:
        following = Seal.objects.filter(number__gt=self._last, number__lte=self._head.number)
        return list(following.order_by("number")[:BATCH])

    def _check(self, seals: Sequence[Seal]) -> None:
        genuine = [seal for seal in seals if self._check_link(seal)]
        self._check_records(genuine)
        for seal in seals:
            if seal.kind in SINGLES:
                self._sealed[seal.kind].add(seal.subject)
        for kind in SINGLES:
            if keys := [seal.subject for seal in genuine if seal.kind == kind]:
                self._check_singles(kind, max(keys))
        self._keep_found()

    def _check_link(self, seal: Seal) -> bool:
        """Whether a seal follows the last one and says what it said when it was made."""
        if seal.number > self._last + 1:
            missing = spanning(self._last + 1, seal.number - 1)
            self._fault(f"{missing} missing", seal.number - 1, seal.number - 1 - self._last)
            self._bases = set()
        self.report.count(seal)
        wanted = {chained(base, seal) for base in self._bases}
        holds = not wanted or bytes(seal.chain) in wanted
        if not holds:
            self._fault(f"seal {seal.number} was changed; it is of {subject_of(seal)}", seal.number)
        elif seal.late:
            self.report.late.add(Finding(subject_of(seal), seal.number))
        self.report.held += holds
        self._bases, self._last = wanted | {bytes(seal.chain)}, seal.number
        return holds

    def _check_records(self, seals: Sequence[Seal]) -> None:
        try:
            records = Records(seals)
        except Exception as error:
            if not is_of_a_value(error):
                raise
            if len(seals) > 1:
                for seal in seals:
                    self._check_records([seal])
                return
            self._fault(f"{subject_of(seals[0])}, was changed: it cannot be read", seals[0].number)
            return
        for seal in seals:
            self._check_record(seal, records)

    def _check_record(self, seal: Seal, records: Records) -> None:
        row = records.of(seal)
        if row is None:
            self._fault(f"{subject_of(seal)}, was removed", seal.number)
            return
        changed = differing(bytes(seal.digest), records.digest(seal))
        if seal.kind != Seal.Kind.BROADCAST:
            if changed:
                self._fault(f"{described(seal.kind, row)} was changed", seal.number)
            return
        parts = [facts.PARTS[place] for place in changed]
        if row["seal"] != seal.number:
            self._named.add(seal.subject)
            parts.append("its mark of the seal")
        if parts:
            told = f"{described(seal.kind, row)} was changed: {', '.join(parts)}"
            self._fault(told, seal.number)

    def _check_singles(self, kind: str, last: int) -> None:
        """Find what was put in among what is only ever appended, up to this key."""
        rows = SINGLES[kind].objects.filter(pk__gt=self._keys[kind], pk__lte=last)
        if kind == Seal.Kind.ATTEMPT:
            rows = rows.filter(broadcast=None)
        for key in rows.order_by("pk").values_list("pk", flat=True).iterator():
            if key not in self._sealed[kind]:
                told = named(kind, key)
                self._fault(f"{told} was put in: it has no seal")
        self._keys[kind] = max(last, self._keys[kind])
        self._sealed[kind] = {key for key in self._sealed[kind] if key > last}

    # Behind the walk

    def _check_end(self) -> None:
        number = self._head.number
        if self._last < number:
            missing = spanning(self._last + 1, number)
            self._fault(f"{missing} missing: the end of the chain", number, number - self._last)
        elif bytes(self._head.chain) not in self._bases:
            self._fault("the end of the chain, as it was noted, was changed")
        # Read first, so that what is sealed meanwhile is not taken for a stray.
        newest = Seal.objects.order_by("-number").values_list("number", flat=True).first() or 0
        beyond = head().number
        if newest > beyond:
            self._fault(f"{spanning(beyond + 1, newest)} behind the end of the chain: put in")
        for stray in Seal.objects.filter(number__lte=self.report.removed_through):
            self._fault(f"seal {stray.number} is before the beginning of the chain: put in")
        self._keep_found()

    def _check_marks(self) -> None:
        """Find finished broadcasts that no seal is of."""
        for key, _ in self._without_mark().order_by("ended_at").values_list(*MARK).iterator():
            self._unmarked(key, "it has no seal, though all that ended then was sealed")
        for key, number in self._with_false_mark().order_by("pk").values_list(*MARK).iterator():
            self._unmarked(key, f"seal {number} is not of it")
        self._keep_found()

    def _unmarked(self, key: int, why: str) -> None:
        if key not in self._named:
            told = named(Seal.Kind.BROADCAST, key)
            self._fault(f"{told} was put in: {why}")

    def _check_waiting(self) -> None:
        """Find what the service cannot seal."""
        for record in unreadable():
            self._fault(f"{record} cannot be read: nothing is sealed until it is mended or removed")
        self._keep_found()

    def _without_mark(self) -> "QuerySet[Broadcast]":
        if self._head.horizon is None:
            return Broadcast.objects.none()
        return Broadcast.objects.filter(seal=None, ended_at__lte=self._head.horizon)

    def _with_false_mark(self) -> "QuerySet[Broadcast]":
        its_seal = Seal.objects.filter(
            number=OuterRef("seal"), kind=Seal.Kind.BROADCAST, subject=OuterRef("pk")
        )
        return Broadcast.objects.filter(~Exists(its_seal), seal__isnull=False)

    def _check_expected(self) -> None:
        if self._expected is None:
            return
        number, value = self._expected
        if number > self._head.number:
            self._fault(f"the chain ends with seal {self._head.number}, before seal {number}")
        elif number < self.report.removed_through:
            self._fault(f"seal {number} has gone by the retention: it cannot be compared")
        elif self._chain_at(number) != value:
            self._fault(f"the chain is another one at seal {number} than it was")
        self._keep_found()

    def _chain_at(self, number: int) -> bytes | None:
        seal = Seal.objects.filter(number=number).first()
        note = RetentionNote.objects.filter(through=number).first()
        if seal or note:
            return bytes((seal or note).chain)
        return BEGINNING if number == 0 else None

    def _unsealed(self) -> dict[str, int]:
        waiting = unsealed(self._head)
        return {
            "live broadcasts": Broadcast.objects.live().count(),
            "finished broadcasts": waiting[Seal.Kind.BROADCAST].count(),
            "claim attempts without a broadcast": waiting[Seal.Kind.ATTEMPT].count(),
            "accesses": waiting[Seal.Kind.ACCESS].count(),
        }

    # What was found

    def _fault(self, what: str, seal: int | None = None, count: int = 1) -> None:
        self._found.append(Finding(what, seal, count))

    def _keep_found(self) -> None:
        """Report what was found, but for what the retention has removed meanwhile."""
        found, self._found = self._found, []
        if not found:
            return
        newest = RetentionNote.objects.order_by("-through").first()
        gone = newest.through if newest and is_genuine(newest) else 0
        for finding in found:
            if finding.seal is None or finding.seal > gone:
                self.report.faults.add(finding)


def named(kind: str, key: int) -> str:
    """Return which record a row is, also when it cannot be read."""
    model, names = (Broadcast, NAMED) if kind == Seal.Kind.BROADCAST else (SINGLES[kind], ())
    try:
        row = model.objects.filter(pk=key).values(*names).first()
    except Exception as error:
        if not is_of_a_value(error):
            raise
        row = None
    return described(kind, row) if row else f"the {Seal.Kind(kind).label} {key}"
