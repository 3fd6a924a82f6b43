"""The history."""

import html
from datetime import timedelta
from urllib.parse import parse_qsl

import pytest
from django.urls import reverse
from django.utils import timezone

from broadcasts.domain.lifecycle import Status
from broadcasts.history import columns
from tests.builders import (
    make_broadcast,
    make_member,
    make_preset,
    make_server,
    make_user,
)

pytestmark = pytest.mark.django_db

HISTORY = reverse("web:history")


@pytest.fixture
def operator(client):
    client.force_login(make_member("operator"))
    return client


def page(client, **asked):
    response = client.get(HISTORY, asked)
    assert response.status_code == 200
    return response.content.decode()


def links(client, address=HISTORY):
    """Return the broadcasts that a page leads to, in its order."""
    return [row["id"] for row in client.get(address).context["rows"]]


def test_every_role_sees_it_and_nobody_else(client):
    for role in ("operator", "admin", "auditor"):
        client.force_login(make_member(role))
        assert client.get(HISTORY).status_code == 200
        assert f'href="{HISTORY}"' in client.get("/").content.decode()
    client.force_login(make_user("outsider"))
    assert client.get(HISTORY).status_code == 403
    assert f'href="{HISTORY}"' not in client.get("/").content.decode()


def test_it_says_so_where_nothing_is_on_record(operator):
    assert "No broadcast is on record that fits." in page(operator)


def test_broadcasts_are_shown_newest_first_and_lead_to_their_pages(operator):
    now = timezone.now()
    old = make_broadcast(opened_at=now - timedelta(hours=2))
    new = make_broadcast(opened_at=now - timedelta(hours=1))
    assert links(operator) == [new.pk, old.pk]
    assert f'href="{reverse("web:broadcast", args=[new.pk])}"' in page(operator)


def test_pages_are_walked_by_their_links(operator):
    now = timezone.now()
    made = [make_broadcast([], opened_at=now - timedelta(minutes=n)).pk for n in range(101)]
    response = operator.get(HISTORY, {"called": "600"})
    assert 'rel="prev"' not in response.content.decode()
    walked = links(operator)
    while older := response.context["page"].older:
        assert "called=600" in older
        response = operator.get(f"{HISTORY}?{older}")
        walked += [row["id"] for row in response.context["rows"]]
    assert walked == made
    assert 'rel="next"' not in response.content.decode()
    newer = response.context["page"].newer
    assert links(operator, f"{HISTORY}?{newer}") == made[50:100]


def test_the_period_is_always_said(operator):
    assert "Last 7 days, since " in page(operator)
    assert "Last hour, since " in page(operator, period="1h")
    assert "<strong>Any time</strong>" in page(operator, q="600")
    assert "From 2026-01-02 00:00:00" in page(operator, since="2026-01-02T00:00:00Z")
    both = page(operator, since="2026-01-02", until="2026-01-03T12:30")
    assert "From 2026-01-02 00:00:00, before 2026-01-03 12:30:00" in both


def test_a_time_of_another_zone_stands_in_its_field_as_the_viewers(operator):
    operator.cookies["zone"] = "Asia/Tokyo"
    shown = page(operator, since="2026-01-02T00:00:00Z", until="2026-01-02T00:00:00.123456Z")
    assert 'name="since" value="2026-01-02T09:00:00"' in shown
    assert 'name="until" value="2026-01-02T09:00:00.123"' in shown


def test_each_filter_in_force_can_be_taken_away_by_itself(operator):
    asked = "status=failed&status=claimed&winner=ivr+%26+co&cursor=&columns=id"
    active = operator.get(f"{HISTORY}?{asked}").context["asked"].active()
    assert {(one.label, one.value): one.without for one in active} == {
        ("Status", "Failed"): "status=claimed&winner=ivr+%26+co&columns=id",
        ("Status", "Claimed"): "status=failed&winner=ivr+%26+co&columns=id",
        ("Winner", "ivr & co"): "status=failed&status=claimed&columns=id",
    }


def test_columns_are_chosen_in_the_order_of_the_address(operator):
    make_broadcast(status=Status.FAILED, reason="no luck")
    response = operator.get(f"{HISTORY}?columns=reason&columns=id")
    assert [column.key for column in response.context["asked"].columns] == ["reason", "id"]
    assert "no luck" in response.content.decode()


def test_every_column_can_be_shown(operator):
    make_broadcast(
        status=Status.CLAIMED, warnings=["odd"], rounds=[{"app_filter": "^a", "timeout_ms": 500}]
    )
    make_broadcast(status=Status.NO_CANDIDATES, offered=[])
    asked = "&".join(f"columns={column.key}" for column in columns.ALL)
    response = operator.get(f"{HISTORY}?{asked}")
    assert response.content.decode().count('scope="col"') == len(columns.ALL)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"ordering": "caller_number"}, "The history cannot be asked for “ordering”"),
        ({"page_size": "1000000"}, "The history cannot be asked for “page_size”"),
        ({"columns": "password"}, "There is no column “password”"),
        ({"columns": "<script>"}, "There is no column “&lt;script&gt;”"),
        ({"since": "2026-02-30"}, "From: Enter a valid date/time."),
        ({"status": "lost"}, "Status: Select a valid choice. lost is not one"),
        ({"server": "nowhere"}, "Server: Select a valid choice."),
        ({"latency_min": "-1"}, "Claimed after at least (ms): "),
        ({"winner": "\x00"}, "Winner: Null characters are not allowed."),
        ({"cursor": "nonsense"}, "This page of the history does not exist"),
    ],
)
def test_what_cannot_be_asked_for_is_named_and_nothing_shown(operator, asked, told):
    broadcast = make_broadcast()
    response = operator.get(HISTORY, asked)
    assert response.status_code == 400
    page = response.content.decode()
    assert told in page
    assert reverse("web:broadcast", args=[broadcast.pk]) not in page


def test_a_page_takes_the_same_few_queries_however_much_it_shows(
    client, django_assert_max_num_queries
):
    client.force_login(make_member("auditor"))
    for number in range(60):
        make_broadcast(preset_name=f"p{number}", preset_version=1, status=Status.CLAIMED)
    with django_assert_max_num_queries(9):
        client.get(HISTORY)


@pytest.mark.parametrize("name", ["history", "broadcast"])
def test_nothing_of_the_record_is_kept_by_browsers_and_proxies(operator, name):
    key = make_broadcast().pk
    response = operator.get(reverse(f"web:{name}", args=[key] if name == "broadcast" else []))
    assert "no-store" in response["Cache-Control"]
    assert "private" in response["Cache-Control"]


def test_who_may_exports_exactly_this_filter_and_these_columns(client):
    client.force_login(make_member("auditor"))
    link = client.get(f"{HISTORY}?status=failed&status=claimed&q=600&cursor=").context["export"]
    usual = [("columns", column.key) for column in columns.USUAL]
    assert link.startswith(reverse("web:export_new"))
    assert parse_qsl(link.partition("?")[2]) == [
        ("kind", "record"),
        ("q", "600"),
        ("status", "failed"),
        ("status", "claimed"),
        *usual,
    ]
    assert html.escape(link) in page(client, status=["failed", "claimed"], q="600")
    assert client.get(link).status_code == 200


@pytest.mark.parametrize("role", ["operator", "admin"])
def test_who_may_not_export_is_not_offered_it(client, role):
    client.force_login(make_member(role))
    assert reverse("web:export_new") not in page(client)


def test_servers_are_offered_by_name_and_nothing_else_is_told_of_them(operator):
    make_server("branch", password="never-told", url="http://192.0.2.9")
    shown = page(operator)
    assert '<option value="branch">branch</option>' in shown
    assert "never-told" not in shown
    assert "192.0.2.9" not in shown


def test_the_version_of_a_preset_is_a_link_for_who_may_see_it(client):
    preset = make_preset("vip")
    entry = preset.history.get().history_id
    preset.description = "Changed since"
    preset.save()
    make_broadcast(preset_name="vip", preset_version=1)
    version = reverse("admin:broadcasts_preset_version", args=[preset.pk, entry])
    for role, staff, seen in (
        ("auditor", True, True),
        ("auditor", False, False),
        ("operator", True, False),
    ):
        user = make_member(role)
        user.is_staff = staff
        user.save()
        client.force_login(user)
        assert (f'href="{version}"' in page(client)) is seen
        assert "@vip (version 1)" in page(client)


def test_what_callers_send_is_shown_as_text(operator):
    make_broadcast(called="<img src=x>", channel_name="<b>")
    shown = page(operator, columns=["called", "channel_name"])
    assert "<img" not in shown.replace('<img src="/static', "")
    assert "&lt;img src=x&gt;" in shown
