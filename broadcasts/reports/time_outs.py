"""Time-outs by hour and weekday, as the reader's clocks show them."""

from collections import Counter
from datetime import datetime

from broadcasts.domain.lifecycle import Status
from broadcasts.history.filters import WEEKDAYS

from .figures import Behind, Cell, Column, Table
from .periods import DAY
from .reading import Reading
from .tallies import QUARTER, day_of

HOURS = range(24)
DAYS = range(1, 8)
QUARTERS_A_DAY = DAY // QUARTER
QUARTERS_A_WEEK = 7 * QUARTERS_A_DAY


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
    for quarter, count in enumerate(by_quarter_of_week(reading)):
        counts[quarter // 4 % 24, quarter // QUARTERS_A_DAY + 1] += count
    return counts


def by_quarter_of_week(reading: Reading) -> list[int]:
    """Return the time-outs of each quarter of an hour, from Monday's first on.

    Asking the zone takes long by the thousand, so it is asked about each quarter only on the two
    days of a year on which clocks are changed.
    """
    zone = reading.period.zone
    counts = [0] * QUARTERS_A_WEEK
    for row in reading.stretches:
        day = day_of(row.begins)
        begin, end = day.astimezone(zone), (day + DAY).astimezone(zone)
        is_steady, first = begin.utcoffset() == end.utcoffset(), quarter_of_week(begin)
        for key, count in row.timed_out_quarters.items():
            if is_steady:
                quarter = (first + key) % QUARTERS_A_WEEK
            else:
                quarter = quarter_of_week((day + key * QUARTER).astimezone(zone))
            counts[quarter] += count
    return counts


def quarter_of_week(at: datetime) -> int:
    return (at.isoweekday() - 1) * QUARTERS_A_DAY + at.hour * 4 + at.minute // 15
