"""How the applications fared beside one another."""

from collections.abc import Iterator, Sequence
from typing import Any

from broadcasts.domain.histogram import Histogram
from broadcasts.domain.lifecycle import Status
from broadcasts.models import ApplicationHour
from broadcasts.models.tallies import ApplicationCounts

from .figures import Behind, Cell, Column, Table
from .reading import Reading

COLUMNS = (
    Column("application", "Application", "text"),
    Column("offered", "Offered"),
    Column("attempted", "Attempted"),
    Column("won", "Won"),
    Column("share_of_offers", "Share of offers", "share"),
    Column("share_of_wins", "Share of wins", "share"),
    Column("fairness", "Wins to offers", "ratio"),
    Column("median_margin", "Median margin", "ms"),
    Column("never_answered", "Never answered"),
    Column("failed_handovers", "Failed hand-overs"),
)
# Margins are read for the applications that are shown alone, so nothing can be sorted by them.
SORTABLE = tuple(column.key for column in COLUMNS if column.key != "median_margin")
USUAL_SORT = "-offered"


class Applications:
    """The applications of a period, of which some are shown at a time."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._behind = Behind(reading.period)
        self._all = list(reading.applications.values())
        self._together = ApplicationHour(application="All")
        for one in self._all:
            self._together.add(one)

    def ranked(self, sort: str = USUAL_SORT) -> list[ApplicationCounts]:
        """Return them in the order of one of SORTABLE, downwards with "-" in front."""
        key = sort.removeprefix("-")
        by_name = sorted(self._all, key=lambda one: one.application)
        return sorted(by_name, key=lambda one: self._rank(one, key), reverse=sort.startswith("-"))

    def table(self, shown: Sequence[ApplicationCounts]) -> Table:
        """Return a row for each of these, and all that there are together."""
        margins = self._reading.margins(one.application for one in shown)
        rows = [list(self._cells(one, margins[one.application])) for one in shown]
        return Table("applications", "Applications", COLUMNS, rows, list(self._sums()))

    def _rank(self, one: ApplicationCounts, key: str) -> Any:
        if key in ("share_of_offers", "share_of_wins"):
            return one.offered if key == "share_of_offers" else one.won
        if key == "fairness":
            return -1 if self._fairness(one) is None else self._fairness(one)
        return getattr(one, key)

    def _fairness(self, one: ApplicationCounts) -> float | None:
        """Return the share of wins by the share of offers: 1 is as often as others."""
        offers = share(one.offered, self._together.offered)
        wins = share(one.won, self._together.won)
        return wins / offers if offers and wins is not None else None

    def _cells(self, one: ApplicationCounts, margins: Histogram) -> Iterator[Cell]:
        name, counted = one.application, self._behind.counted
        offered = counted(one.offered, candidate=name)
        attempted = counted(one.attempted, attempted=name)
        won = counted(one.won, status=[Status.CLAIMED.value], winner=name)
        yield from (Cell(name), offered, attempted, won)
        yield Cell(share(one.offered, self._together.offered), offered.asked)
        yield Cell(share(one.won, self._together.won), won.asked)
        yield Cell(self._fairness(one), won.asked)
        yield Cell(margins.percentile(0.5), attempted.asked if margins.buckets else None)
        yield counted(one.never_answered, unanswered_by=name)
        yield counted(one.failed_handovers, failed_for=name)

    def _sums(self) -> Iterator[Cell]:
        """Yield what applications come to together: a broadcast counts for each that had it."""
        together = self._together
        yield Cell("All")
        yield Cell(together.offered)
        yield Cell(together.attempted)
        yield self._behind.counted(together.won, status=[Status.CLAIMED.value])
        yield from [Cell(None)] * 4
        yield Cell(together.never_answered)
        yield Cell(together.failed_handovers)


def share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
