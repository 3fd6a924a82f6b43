"""The page of the reports."""

import json
import re
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.http import QueryDict
from django.urls import reverse

from broadcasts.domain.lifecycle import Status
from broadcasts.history.filters import BroadcastFilter
from broadcasts.models import ApplicationHour, Broadcast
from broadcasts.web import report_views
from tests.builders import make_broadcast, make_member, make_server, make_user
from tests.reports.cast import make_records, seal

pytestmark = pytest.mark.django_db

BEGIN = datetime(2025, 3, 26, 12, tzinfo=UTC)
PERIOD = {"first": "2025-03-25", "last": "2025-04-01"}


@pytest.fixture
def reports(client):
    """Return a function that asks for the page as an operator and returns the answer."""
    client.force_login(make_member("operator"))
    return lambda **asked: client.get(reverse("web:reports"), asked)


def text_of(response):
    return unescape(response.content.decode())


def links_to_history(page):
    """Return the figures that lead to the history, each with what it asks for."""
    pattern = rf'<a href="({re.escape(reverse("web:history"))}\?[^"]*)">([^<]*)</a>'
    return [(urlsplit(address).query, figure) for address, figure in re.findall(pattern, page)]


@pytest.mark.parametrize("role", ["operator", "admin", "auditor"])
def test_every_role_may_see_reports(client, role):
    client.force_login(make_member(role))
    assert client.get(reverse("web:reports")).status_code == 200
    assert f'href="{reverse("web:reports")}" aria-current="page"' in text_of(
        client.get(reverse("web:reports"))
    )


def test_who_has_no_role_may_not(client):
    client.force_login(make_user("olga"))
    assert client.get(reverse("web:reports")).status_code == 403
    assert reverse("web:reports") not in text_of(client.get("/"))


def test_reports_are_only_read(client):
    client.force_login(make_member("operator"))
    assert client.post(reverse("web:reports")).status_code == 405


def test_figures_lead_to_what_they_count(reports):
    broadcasts = make_records(60, BEGIN, timedelta(days=4))
    seal(broadcasts[:40])
    found = links_to_history(text_of(reports(**PERIOD)))
    counted = [(query, figure) for query, figure in found if figure.isdecimal()]
    assert len(counted) > 50
    for query, figure in counted:
        behind = BroadcastFilter(QueryDict(query), queryset=Broadcast.objects.all())
        assert behind.is_valid(), behind.errors
        assert behind.qs.count() == int(figure), query


def test_charts_are_drawn_from_the_same_figures(reports):
    seal(make_records(40, BEGIN, timedelta(days=4)))
    page = text_of(reports(**PERIOD))
    drawn = re.search(r'<script id="report-charts" type="application/json">(.*?)</script>', page)
    charts = json.loads(drawn[1])
    assert set(charts) == set(re.findall(r'data-chart="(\w+)"', page))
    figures = set(links_to_history(page))
    for series in charts["outcomes"]["series"]:
        for value, address in zip(series["values"], series["addresses"], strict=True):
            assert bool(value) == bool(address)
            assert not value or (urlsplit(address).query, str(value)) in figures


def test_nothing_of_the_page_is_inline(reports):
    make_broadcast(status=Status.TIMED_OUT)
    page = reports().content.decode()
    assert "<style" not in page
    assert " style=" not in page
    assert re.findall(r"<script(?![^>]*(?: src=|json))", page) == []


def test_without_broadcasts_it_says_so(reports):
    page = text_of(reports())
    assert "No broadcast ended in this period" in page
    assert "<canvas" not in page


def test_seven_days_are_meant_unless_others_are(reports):
    assert current_period(reports()) == "7 days"
    assert current_period(reports(period="90d")) == "90 days"
    assert current_period(reports(**PERIOD)) is None


def current_period(response):
    found = re.search(r'aria-current="true">([^<]*)<', text_of(response))
    return found and found[1]


def test_another_period_keeps_the_server(reports):
    make_server("branch")
    page = text_of(reports(server="branch", **PERIOD))
    address = re.search(r'<a href="([^"]*)">30 days<', page)[1]
    assert parse_qs(urlsplit(address).query) == {"period": ["30d"], "server": ["branch"]}


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"period": "ever"}, "Period:"),
        ({"first": "2025-02-30"}, "From:"),
        ({"first": "2025-03-02", "last": "2025-03-01"}, "The last day is before the first."),
        ({"server": "nowhere"}, "Server:"),
        ({"sort": "password"}, "Order:"),
        ({"sort": "median_margin"}, "Order:"),
        ({"page": "0"}, "Page:"),
        ({"page": "9" * 30}, "Page:"),
        ({"page": "x"}, "Page:"),
    ],
)
def test_what_cannot_be_asked_for_is_said_and_nothing_is_shown(reports, asked, said):
    make_broadcast(status=Status.TIMED_OUT)
    response = reports(**asked)
    assert response.status_code == 400
    assert said in text_of(response)
    assert "<table" not in text_of(response)


def test_applications_come_in_pages_and_in_the_order_that_one_likes(reports, monkeypatch):
    monkeypatch.setattr(report_views, "PER_PAGE", 2)
    make_broadcast(["a", "b", "c"], status=Status.CLAIMED, winner="b")
    make_broadcast(["a", "b"], status=Status.CLAIMED, winner="b")
    make_broadcast(["a"], status=Status.CLAIMED, winner="a")
    assert applications(reports()) == ["a", "b"]
    assert applications(reports(page="2")) == ["c"]
    assert applications(reports(page="7")) == ["c"]
    assert applications(reports(sort="-won")) == ["b", "a"]
    assert applications(reports(sort="offered")) == ["c", "b"]
    assert applications(reports(sort="-fairness")) == ["b", "a"]
    page = text_of(reports(sort="-won", period="24h"))
    assert '<th scope="col" aria-sort="descending">' in page
    assert "?period=24h&sort=-won&page=2#applications" in page


def applications(response):
    table = re.search(r'data-report="applications">(.*?)</table>', text_of(response), re.DOTALL)[1]
    return re.findall(r'<th scope="row">(.*?)</th>', table)[:-1]


def test_it_takes_as_many_queries_whatever_the_record(reports, django_assert_max_num_queries):
    seal(make_records(80, BEGIN, timedelta(days=6)))
    assert ApplicationHour.objects.count() > 60
    with django_assert_max_num_queries(16):
        assert reports(**PERIOD).status_code == 200


def test_what_is_not_sealed_and_too_much_to_count_is_told(reports, monkeypatch):
    monkeypatch.setattr("broadcasts.reports.reading.UNSEALED_LIMIT", 1)
    for _ in range(2):
        make_broadcast(status=Status.TIMED_OUT)
    assert "More broadcasts have ended than have been sealed yet" in text_of(reports())
