"""Which applications there are."""

from datetime import UTC, datetime, timedelta

import pytest

from broadcasts.models.known import known_applications
from tests.builders import make_connection, make_presence, make_server

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def test_applications_are_known_that_are_connected_or_were_within_thirty_days():
    now = datetime.now(UTC)
    make_presence("here")
    make_connection("here", now - DAY)
    make_connection("gone", now - 2 * DAY, now - DAY)
    make_connection("gone", now - 9 * DAY, now - 8 * DAY)
    make_connection("forgotten", now - 40 * DAY, now - 31 * DAY)
    known = {one.name: one for one in known_applications()}
    assert list(known) == ["here", "gone"]
    assert known["here"].is_connected
    assert known["gone"].last_seen == now - DAY


def test_applications_are_known_by_server():
    make_presence("here")
    assert known_applications(make_server("other").pk) == []
    assert len(known_applications(make_server().pk)) == 1
