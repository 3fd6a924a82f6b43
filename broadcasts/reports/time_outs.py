"""Time-outs by hour and weekday, as the reader's clocks show them."""

from collections import Counter

from broadcasts.domain.lifecycle import Status
from broadcasts.history.filters import WEEKDAYS

from .figures import Behind, Cell, Column, Table
from .reading import Reading
from .tallies import QUARTER, day_of

HOURS = range(24)
DAYS = range(1, 8)


def time_outs(reading: Reading) -> Table:
    """Return a row for each hour and a column for each day of the week, with their sums."""
    counts = by_hour_and_weekday(reading)
    behind = Behind(reading.period)

    def cell(hours: range, days: range) -> Cell:
        count = sum(counts[hour, day] for hour in hours for day in days)
        hour = {"hour": str(hours[0])} if hours != HOURS else {}
        day = {"weekday": str(days[0])} if days != DAYS else {}
        return behind.counted(count, status=[Status.TIMED_OUT.value], **hour, **day)

    def cells(hours: range) -> list[Cell]:
        return [*(cell(hours, range(day, day + 1)) for day in DAYS), cell(hours, DAYS)]

    rows = [[Cell(f"{hour:02d}:00"), *cells(range(hour, hour + 1))] for hour in HOURS]
    columns = (
        Column("hour", "Hour", "text"),
        *(Column(name.lower(), name) for name in WEEKDAYS),
        Column("all", "All"),
    )
    total = [Cell("All"), *cells(HOURS)]
    return Table("time_outs", "Time-outs by hour and weekday", columns, rows, total)


def by_hour_and_weekday(reading: Reading) -> Counter[tuple[int, int]]:
    counts: Counter[tuple[int, int]] = Counter()
    for row in reading.stretches:
        day = day_of(row.begins)
        for quarter, count in row.timed_out_quarters.items():
            at = (day + int(quarter) * QUARTER).astimezone(reading.period.zone)
            counts[at.hour, at.isoweekday()] += count
    return counts
