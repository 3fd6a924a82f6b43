"""Reports that tell a period's steps apart: outcomes, time to claim, failed hand-overs."""

from collections.abc import Callable, Iterator

from broadcasts.domain.histogram import Histogram
from broadcasts.domain.lifecycle import Status
from broadcasts.history.filters import STATUS_LABELS
from broadcasts.models import ServerHour

from .figures import Behind, Cell, Column, Table
from .periods import Span
from .reading import Reading
from .tallies import OUTCOMES

PERCENTILES = {
    "median": ("Median", 0.5),
    "p95": ("95th percentile", 0.95),
    "p99": ("99th percentile", 0.99),
}
ENDS = (Column("since", "From", "time"), Column("until", "Until", "time"))
ALL = Column("all", "All")

Cells = Callable[[Span, ServerHour], Iterator[Cell]]


class OverTime:
    """Makes tables with a row for each step, and the whole period last."""

    def __init__(self, reading: Reading) -> None:
        period = reading.period
        self._zone = period.zone
        self._behind = Behind(period)
        self._steps = list(zip(period.steps(), reading.by_step(), strict=True))
        self.total = ServerHour(hour=period.span.since)
        for _, counts in self._steps:
            self.total.add(counts)
        self._whole = (period.span, self.total)

    def outcomes(self) -> Table:
        columns = (*(Column(one.value, STATUS_LABELS[one]) for one in OUTCOMES), ALL)
        return self._table("outcomes", "Broadcasts by outcome", columns, self._outcomes)

    def latency(self) -> Table:
        percentiles = (Column(key, label, "ms") for key, (label, _) in PERCENTILES.items())
        columns = (Column("claims", "Claims"), *percentiles)
        return self._table("latency", "Time to claim", columns, self._latency)

    def failed_handovers(self) -> Table:
        columns = (Column("failed_handovers", "Failed hand-overs"), ALL)
        return self._table("failed_handovers", "Failed hand-overs", columns, self._failed_handovers)

    def _table(self, key: str, title: str, columns: tuple[Column, ...], cells: Cells) -> Table:
        rows = [
            [*self._ends(span), *cells(span, counts)]
            for span, counts in (*self._steps, self._whole)
        ]
        return Table(key, title, (*ENDS, *columns), rows[:-1], rows[-1])

    def _ends(self, span: Span) -> Iterator[Cell]:
        for end in span:
            yield Cell(end.astimezone(self._zone))

    def _outcomes(self, span: Span, counts: ServerHour) -> Iterator[Cell]:
        for one in OUTCOMES:
            yield self._behind.counted(getattr(counts, one), span, status=[one.value])
        yield self._all(span, counts)

    def _latency(self, span: Span, counts: ServerHour) -> Iterator[Cell]:
        claimed = [Status.CLAIMED.value]
        yield self._behind.counted(counts.claimed, span, status=claimed)
        claims = Histogram(counts.claim_ms)
        for _, share in PERCENTILES.values():
            if not claims.buckets:
                yield Cell(None)
                continue
            # Behind a percentile are the claims that took as long or longer.
            least = f"{claims.least(share):f}"
            asked = self._behind.asked(span, status=claimed, latency_min=least)
            yield Cell(claims.percentile(share), asked)

    def _failed_handovers(self, span: Span, counts: ServerHour) -> Iterator[Cell]:
        yield self._behind.counted(counts.failed_handovers, span, failed_handover="true")
        yield self._all(span, counts)

    def _all(self, span: Span, counts: ServerHour) -> Cell:
        return self._behind.counted(sum(getattr(counts, one) for one in OUTCOMES), span)
