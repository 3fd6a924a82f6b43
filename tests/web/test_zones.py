"""Times in the viewer's zone."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse

from broadcasts.models import Broadcast
from broadcasts.web.zones import COOKIE
from tests.builders import make_broadcast, make_member

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.fixture
def operator(client):
    client.force_login(make_member("operator"))
    return client


def shown(client):
    make_broadcast(opened_at=NOON)
    return client.get(reverse("web:history"), {"period": "all"}).content.decode()


def test_times_are_shown_in_the_zone_that_the_cookie_names(operator):
    operator.cookies[COOKIE] = "Asia/Tokyo"
    page = shown(operator)
    assert "2026-07-01 21:00:00" in page
    assert "Times in Asia/Tokyo (UTC+09:00)" in page


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "../../etc/passwd", "\x00", "ä" * 5000])
def test_a_cookie_that_names_no_zone_counts_for_nothing(operator, name):
    operator.cookies[COOKIE] = name
    page = shown(operator)
    assert "2026-07-01 12:00:00" in page
    assert "Times in UTC" in page


def test_what_is_asked_for_is_read_in_the_zone_too(operator):
    operator.cookies[COOKIE] = "Asia/Tokyo"
    make_broadcast(opened_at=NOON, called="601")
    page = operator.get(reverse("web:history"), {"since": "2026-07-01T21:00:01"}).content.decode()
    assert "No broadcast is on record that fits" in page
    assert "From 2026-07-01 21:00:01" in page


def test_the_admin_keeps_to_the_zone_of_the_service(admin_client):
    admin_client.cookies[COOKIE] = "Asia/Tokyo"
    make_broadcast(opened_at=NOON)
    operator_page = admin_client.get(reverse("web:history"), {"period": "all"})
    assert "21:00:00" in operator_page.content.decode()
    key = Broadcast.objects.get().pk
    page = admin_client.get(reverse("admin:broadcasts_broadcast_change", args=[key]))
    assert "2026-07-01 12:00" in page.content.decode()


def test_a_zone_is_chosen_and_left_to_the_browser_again(operator):
    here = reverse("web:history")
    response = operator.post(reverse("web:zone"), {"zone": "Europe/Berlin", "next": here})
    assert response["Location"] == here
    cookie = response.cookies[COOKIE]
    assert (cookie.value, cookie["samesite"]) == ("Europe/Berlin", "Lax")
    assert "<option selected>Europe/Berlin" in operator.get(reverse("web:zone")).content.decode()
    response = operator.post(reverse("web:zone"), {"zone": "", "next": here})
    assert response.cookies[COOKIE].value == ""


def test_an_unknown_zone_is_not_chosen(operator):
    response = operator.post(reverse("web:zone"), {"zone": "Mars/Olympus"})
    assert response.status_code == 400
    assert COOKIE not in response.cookies
