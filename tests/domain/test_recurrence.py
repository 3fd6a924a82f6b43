"""When something that recurs is due: once each time, whatever the clock of the zone does."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcasts.domain.recurrence import DAY, MONTH, WEEK, fits, next_after

# Half an hour of summer time, a day that was left out, changes at midnight, and none at all.
ZONES = [
    ZoneInfo(name)
    for name in (
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "Asia/Beirut",
        "Asia/Kathmandu",
    )
]
MOMENTS = st.datetimes(datetime(2005, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))
TIMES = st.times().map(lambda at: at.replace(microsecond=0, fold=0))
EVERY = st.sampled_from([DAY, WEEK, MONTH])


def moment(text: str, zone: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone))


@given(MOMENTS, EVERY, st.integers(1, 7), TIMES, st.sampled_from(ZONES))
def test_it_is_due_on_a_day_that_fits_and_at_that_time_unless_the_clock_skips_it(
    after, every, day, at, zone
):
    due = next_after(after, every, day, at, zone)
    local = due.astimezone(zone)
    assert due > after
    candidates = [local.date() - timedelta(days=back) for back in range(3)]
    asked = next(
        one for one in candidates if datetime.combine(one, at, tzinfo=zone).astimezone(UTC) == due
    )
    assert fits(asked, every, day)
    skipped = datetime.combine(asked, at, tzinfo=zone).astimezone(UTC).astimezone(zone)
    assert local.replace(tzinfo=None, fold=0) == skipped.replace(tzinfo=None, fold=0)


@given(MOMENTS, EVERY, st.integers(1, 31), TIMES, st.sampled_from(ZONES))
def test_nothing_that_is_due_is_passed_over(after, every, day, at, zone):
    if every == WEEK:
        day = (day - 1) % 7 + 1
    due = next_after(after, every, day, at, zone)
    one = after.astimezone(zone).date() - timedelta(days=2)
    while one < due.astimezone(zone).date() + timedelta(days=2):
        other = datetime.combine(one, at, tzinfo=zone).astimezone(UTC)
        assert not (fits(one, every, day) and after < other < due)
        one += timedelta(days=1)


@given(MOMENTS, EVERY, st.integers(1, 31), TIMES, st.sampled_from(ZONES))
def test_asking_again_at_any_time_before_it_is_due_gives_the_same(after, every, day, at, zone):
    day = (day - 1) % 7 + 1 if every == WEEK else day
    due = next_after(after, every, day, at, zone)
    assert next_after(due - timedelta(microseconds=1), every, day, at, zone) == due
    assert next_after(due, every, day, at, zone) > due


@given(st.dates(date(2005, 1, 1), date(2040, 1, 1)), st.integers(1, 31))
def test_every_month_has_one_day(first, day):
    month = [
        one
        for one in (first.replace(day=1) + timedelta(days=number) for number in range(31))
        if one.month == first.month
    ]
    assert sum(fits(one, MONTH, day) for one in month) == 1


@pytest.mark.parametrize(
    ("after", "due"),
    [("2026-01-31 08:00", "2026-02-28 07:00"), ("2028-02-01 08:00", "2028-02-29 07:00")],
)
def test_a_month_without_such_a_day_has_its_last(after, due):
    assert next_after(
        moment(after, "Europe/Berlin"), MONTH, 31, time(7), ZoneInfo("Europe/Berlin")
    ) == moment(due, "Europe/Berlin")


def test_a_time_that_the_zone_skips_comes_an_hour_later_by_the_clock():
    zone = ZoneInfo("Europe/Berlin")
    due = next_after(moment("2026-03-28 12:00", "Europe/Berlin"), DAY, 1, time(2, 30), zone)
    assert due.astimezone(zone).isoformat() == "2026-03-29T03:30:00+02:00"


def test_a_time_that_the_zone_has_twice_counts_once():
    zone = ZoneInfo("Europe/Berlin")
    first = next_after(moment("2026-10-24 12:00", "Europe/Berlin"), DAY, 1, time(2, 30), zone)
    assert first.astimezone(zone).isoformat() == "2026-10-25T02:30:00+02:00"
    assert next_after(first, DAY, 1, time(2, 30), zone) == moment(
        "2026-10-26 02:30", "Europe/Berlin"
    )


def test_a_week_has_one_day():
    monday = next_after(datetime(2026, 11, 25, tzinfo=UTC), WEEK, 1, time(7), UTC)
    assert monday == datetime(2026, 11, 30, 7, tzinfo=UTC)
