"""What reports are made of: tables of figures, each of which leads to the broadcasts behind it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .periods import Period, Span
from .tallies import OUTCOMES

# What a filter of the history is asked for: a text, or several, by name.
Asked = dict[str, str | list[str]]


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure, and what the history has to be asked for to show the broadcasts behind it.

    `exact`: they are as many as the figure says.
    """

    value: Any
    asked: Asked | None = None
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `kind` is "time", "text", "count", "ms", "share" (of 1) or "ratio"."""

    key: str
    label: str
    kind: str = "count"


@dataclass(frozen=True, slots=True)
class Table:
    """A report: rows of cells in the columns' order, and what they come to in all."""

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: list[list[Cell]]
    total: list[Cell]

    def values(self) -> Iterator[list[Any]]:
        """Yield the rows' plain values, the sum last."""
        for row in (*self.rows, self.total):
            yield [cell.value for cell in row]


class Behind:
    """Says what the history has to be asked for, to show what a figure of a period counts."""

    def __init__(self, period: Period) -> None:
        self._zone = period.zone
        self._whole = period.span
        self._server = {"server": period.server.name} if period.server else {}

    def asked(self, span: Span | None = None, **more: str | list[str]) -> Asked:
        """Ask for broadcasts with an outcome that were opened within the span or the period."""
        since, until = span or self._whole
        return {
            "since": since.astimezone(self._zone).isoformat(timespec="minutes"),
            "until": until.astimezone(self._zone).isoformat(timespec="minutes"),
            **self._server,
            "status": [one.value for one in OUTCOMES],
            **more,
        }

    def counted(self, count: int, span: Span | None = None, **more: str | list[str]) -> Cell:
        """Return a number of broadcasts."""
        return Cell(count, self.asked(span, **more), exact=True)
