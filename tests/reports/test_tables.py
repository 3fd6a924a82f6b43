"""The figures of the reports, each compared with the broadcasts it leads to."""

import math
from datetime import UTC, date, datetime, time, timedelta
from statistics import median_low
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from broadcasts.domain.histogram import RELATIVE_ERROR
from broadcasts.domain.lifecycle import Status
from broadcasts.history.filters import BroadcastFilter
from broadcasts.models import Broadcast, Candidate, ChainHead, ClaimAttempt
from broadcasts.reports import reading
from broadcasts.reports.periods import Period, Span, beginning_of
from broadcasts.reports.tables import ReportRefused, all_tables
from tests.builders import make_broadcast

from .cast import make_records, seal

pytestmark = pytest.mark.django_db

# Over the night in which Europe's clocks are put forward.
FIRST, LAST = date(2025, 3, 27), date(2025, 4, 1)
BEGIN, LENGTH = datetime(2025, 3, 26, 12, tzinfo=UTC), timedelta(days=7)
QUERY = {"first": [FIRST.isoformat()], "last": [LAST.isoformat()]}

ZONES = ["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kolkata", "Asia/Kathmandu"]


@pytest.fixture
def record():
    """Broadcasts around the period, of which some are sealed and some are not."""
    broadcasts = make_records(150, BEGIN, LENGTH)
    seal(broadcasts[:60])
    seal(broadcasts[60:100], first_seal=100)
    return broadcasts


def tables(zone="UTC", **more):
    return {table.key: table for table in all_tables(QUERY | more, ZoneInfo(zone))}


def behind(asked):
    """Return the broadcasts that a figure leads to."""
    found = BroadcastFilter(asked, queryset=Broadcast.objects.all())
    assert found.is_valid(), found.errors
    return found.qs


def cells(table):
    for row in (*table.rows, table.total):
        yield from zip(table.columns, row, strict=True)


def within_error(said, exact):
    return said == pytest.approx(exact, rel=RELATIVE_ERROR * 1.001)


@pytest.mark.parametrize("server", [{}, {"server": ["branch"]}])
def test_each_count_leads_to_as_many_broadcasts_in_every_zone(record, server):
    for zone in ZONES:
        checked = 0
        with timezone.override(zone):
            for table in tables(zone, **server).values():
                for column, cell in cells(table):
                    if cell.exact:
                        assert behind(cell.asked).count() == cell.value, (zone, table.key, column)
                        checked += cell.value
        assert checked > 100


def test_all_that_has_an_outcome_is_counted(record):
    for zone in ZONES:
        since, until, *_, broadcasts = (cell.value for cell in tables(zone)["outcomes"].total)
        inside = [one for one in record if since <= one.opened_at < until]
        assert broadcasts == sum(one.status != Status.OPEN for one in inside) > 50


@pytest.mark.parametrize("zone", ZONES)
def test_a_day_begins_with_its_first_hour_of_utc(zone):
    table = tables(zone)["outcomes"]
    for number, (since, until, *_) in enumerate(list(table.values())[:-1]):
        midnight = datetime.combine(FIRST + timedelta(days=number), time())
        assert timedelta() <= since.replace(tzinfo=None) - midnight < timedelta(hours=1)
        assert since.astimezone(UTC).minute == until.astimezone(UTC).minute == 0
        assert since.tzinfo == ZoneInfo(zone)
    assert len(table.rows) == 6


def test_the_steps_come_to_the_sum(record):
    for table in tables().values():
        if table.key == "applications":
            continue
        for number, column in enumerate(table.columns):
            if column.kind == "count":
                values = [row[number].value for row in table.rows]
                assert sum(values) == table.total[number].value


def test_percentiles_are_within_the_stated_error_of_the_claims_they_lead_to(record):
    shares = {"median": 0.5, "p95": 0.95, "p99": 0.99}
    table = tables()["latency"]
    for row in (*table.rows, table.total):
        by_key = dict(zip((one.key for one in table.columns), row, strict=True))
        claims = sorted(behind(by_key["claims"].asked).values_list("claim_ms", flat=True))
        for key, share in shares.items():
            exact = claims[math.ceil(share * len(claims)) - 1]
            assert within_error(by_key[key].value, exact)
            slower = behind(by_key[key].asked).values_list("claim_ms", flat=True)
            assert exact in slower
            assert len(slower) >= len(claims) * (1 - share)


def test_applications_are_compared_with_one_another(record):
    table = tables()["applications"]
    until = beginning_of(LAST + timedelta(days=1), UTC)
    inside = Broadcast.objects.filter(opened_at__gte=beginning_of(FIRST, UTC), opened_at__lt=until)
    ended = inside.exclude(status=Status.OPEN)
    offers = Candidate.objects.filter(broadcast__in=ended).count()
    wins = ended.filter(status=Status.CLAIMED).count()
    for row in table.rows:
        one = dict(zip((column.key for column in table.columns), row, strict=True))
        name, offered, won = (one[key].value for key in ("application", "offered", "won"))
        assert one["share_of_offers"].value == offered / offers
        assert one["share_of_wins"].value == won / wins
        if offered:
            assert one["fairness"].value == pytest.approx((won / wins) / (offered / offers))
        margins = ClaimAttempt.objects.filter(
            broadcast__in=ended, application=name, behind_winner_ms__isnull=False
        ).values_list("behind_winner_ms", flat=True)
        assert within_error(one["median_margin"].value, max(median_low(margins), 0.001))
    assert len(table.rows) == 6


def test_time_outs_stand_where_the_readers_clocks_have_them():
    # On this Sunday the clocks of Berlin go from 2 to 3.
    for minute in (-1, 0, 59):
        make_broadcast(
            status=Status.TIMED_OUT,
            opened_at=datetime(2025, 3, 30, 1, tzinfo=UTC) + timedelta(minutes=minute),
        )
    sunday = [row[7].value for row in tables("Europe/Berlin")["time_outs"].rows]
    assert sunday[:5] == [0, 1, 0, 2, 0]
    monday = [row[0].value for row in tables("Asia/Kolkata")["time_outs"].rows if row[7].value]
    assert monday == ["06:00", "07:00"]


def test_long_periods_are_told_by_the_week_from_monday_on():
    table = all_tables({"first": ["2025-01-01"], "last": ["2025-03-02"]}, ZoneInfo("UTC"))[0]
    begins = [row[0].value.date() for row in table.rows]
    assert begins[0] == date(2025, 1, 1)
    assert {day.weekday() for day in begins[1:]} == {0}
    assert table.rows[-1][1].value.date() == date(2025, 3, 3)


def test_a_day_is_told_by_the_hour():
    table = all_tables({"first": ["2025-03-30"], "last": ["2025-03-30"]}, ZoneInfo("Europe/Berlin"))
    assert len(table[0].rows) == 23


@pytest.mark.parametrize(
    ("first", "last", "rows"),
    [
        ("2025-10-25", "2025-10-26", 49),  # hours
        ("2025-10-20", "2025-10-26", 7),  # days
        ("2025-09-12", "2025-10-26", 45),
        ("2025-09-11", "2025-10-26", 7),  # weeks
    ],
)
def test_the_day_with_one_hour_more_is_a_day_like_any_other(first, last, rows):
    table = all_tables({"first": [first], "last": [last]}, ZoneInfo("Europe/Berlin"))[0]
    assert len(table.rows) == rows


def test_the_last_24_hours_hold_what_has_just_ended():
    make_broadcast(status=Status.TIMED_OUT)
    table = all_tables({"period": ["24h"]}, ZoneInfo("UTC"))[0]
    assert len(table.rows) == 24
    assert table.total[-1].value == 1


def test_an_empty_record_has_figures_too():
    for table in tables().values():
        for column, cell in cells(table):
            if column.kind not in ("text", "time"):
                assert not cell.value


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"period": ["ever"]}, "Period: "),
        ({"first": ["2025-02-30"]}, "From: "),
        ({"last": ["2025-02-03"]}, "From: Say from which day on"),
        ({"first": ["2025-03-02"], "last": ["2025-03-01"]}, "before the first"),
        ({"first": ["2024-01-01"], "last": ["2025-01-01"]}, "366 days at most"),
        ({"first": ["0001-01-01"], "last": ["9999-12-31"]}, "the year 2000"),
        ({"first": ["9999-12-31"]}, "still to come"),
        ({"server": ["nowhere"]}, "Server: "),
        ({"server": ["\x00"]}, "Server: "),
    ],
)
def test_what_makes_no_report_is_said_in_words(query, said):
    with pytest.raises(ReportRefused, match=said):
        all_tables(query, ZoneInfo("UTC"))


def test_what_is_sealed_while_it_is_read_counts_once(monkeypatch):
    broadcast = make_broadcast(
        status=Status.TIMED_OUT, opened_at=datetime(2025, 3, 28, 9, tzinfo=UTC)
    )
    ChainHead.objects.create(number=0)
    read_sums = reading.sums

    def sealing(*arguments):
        if not Broadcast.objects.filter(seal__isnull=False).exists():
            seal([broadcast])
            ChainHead.objects.update(number=1)
        return read_sums(*arguments)

    monkeypatch.setattr(reading, "sums", sealing)
    assert tables()["outcomes"].total[-1].value == 1
    assert tables()["applications"].rows[0][1].value == 1


def test_it_is_known_when_more_is_unsealed_than_is_counted(monkeypatch):
    period = Period(Span(BEGIN, BEGIN + LENGTH), UTC)
    for _ in range(3):
        make_broadcast(status=Status.TIMED_OUT, opened_at=BEGIN)
    assert reading.read(period).complete
    monkeypatch.setattr(reading, "UNSEALED_LIMIT", 2)
    incomplete = reading.read(period)
    assert not incomplete.complete
    assert sum(one.timed_out for one in incomplete.stretches) == 2
