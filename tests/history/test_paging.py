"""Pages by key."""

from base64 import b64encode
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.test import RequestFactory
from django.utils import timezone
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from broadcasts.history.paging import HistoryPages
from broadcasts.models import Broadcast
from tests.builders import make_broadcast

pytestmark = pytest.mark.django_db


def page(address="/", size=2):
    pages = HistoryPages()
    pages.page_size_query_param, pages.page_size = None, size
    request = Request(RequestFactory().get(address))
    rows = pages.paginate_queryset(Broadcast.objects.values("id", "opened_at"), request)
    return pages, [row["id"] for row in rows]


def test_pages_lead_on_and_back_also_where_calls_came_at_once():
    now = timezone.now()
    made = [make_broadcast(opened_at=now - timedelta(seconds=n // 3)).pk for n in range(7)]
    newest_first = sorted(made, key=lambda pk: (made.index(pk) // 3, -pk))
    pages, first = page()
    assert pages.get_previous_link() is None
    walked, back = list(first), []
    while link := pages.get_next_link():
        pages, rows = page(link)
        walked += rows
    assert walked == newest_first
    while link := pages.get_previous_link():
        pages, rows = page(link)
        back = rows + back
    assert back == newest_first[: len(back)]
    assert back[:2] == first


@pytest.mark.parametrize(
    "place",
    ["p=nowhere", "p=2026-11-25", "p=2026-11-25 00:00:00", "p=9999-12-31T23:59:59-12:00", "o=x"],
)
def test_a_place_that_is_none_is_refused(place):
    with pytest.raises(NotFound):
        page("/?" + urlencode({"cursor": b64encode(place.encode()).decode()}))


@pytest.mark.parametrize("cursor", ["nonsense", "ä"])
def test_a_cursor_that_nobody_made_is_refused(cursor):
    with pytest.raises(NotFound):
        page("/?" + urlencode({"cursor": cursor}))
