"""One broadcast."""

import html
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from broadcasts.domain.lifecycle import Status
from broadcasts.domain.verdict import Verdict
from broadcasts.models import Candidate, ClaimAttempt
from tests.builders import make_broadcast, make_member, make_preset, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client):
    client.force_login(make_member("operator"))
    return client


def address(broadcast):
    return reverse("web:broadcast", args=[broadcast.pk])


def page(client, broadcast, query=""):
    response = client.get(address(broadcast) + query)
    assert response.status_code == 200
    return html.unescape(response.content.decode())


def claim(broadcast, application, ms=10.0, verdict=Verdict.TAKEN, behind=None):
    return ClaimAttempt.objects.create(
        broadcast=broadcast,
        channel_id=broadcast.channel_id,
        application=application,
        user="ivr",
        at=broadcast.opened_at + timedelta(milliseconds=ms),
        answer=verdict.http_status,
        verdict=verdict,
        since_offered_ms=ms,
        behind_winner_ms=behind,
    )


def test_every_role_sees_it_and_nobody_else(client):
    broadcast = make_broadcast()
    for role in ("operator", "admin", "auditor"):
        client.force_login(make_member(role))
        page(client, broadcast)
    client.force_login(make_user("outsider"))
    assert client.get(address(broadcast)).status_code == 403


@pytest.mark.parametrize("key", ["0", "99999999", "9" * 30, "9" * 5000])
def test_an_unknown_one_is_answered_within_the_frame(operator, key):
    response = operator.get(f"/broadcasts/{key}/")
    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()


def test_the_raw_facts_are_shown(operator):
    broadcast = make_broadcast(
        offered=["ivr-main", "sales"],
        status=Status.CLAIMED,
        arguments_given=["5s", "@vip", "a:b"],
        app_filter="^(ivr|sales)",
        app_args=["a", "b"],
        warnings=["time-out '5s' is not a number: the default is used"],
        preset_name="vip",
        preset_version=3,
        rule_name="gold",
        rounds=[
            {"app_filter": "^ivr", "timeout_ms": 500},
            {"app_filter": "", "timeout_ms": 2000},
        ],
        seal=4711,
        hangup_cause_text="Normal Clearing",
        hung_up_at=timezone.now(),
    )
    claim(broadcast, "ivr-main", 12.5, Verdict.WON)
    claim(broadcast, "sales", 12.9, behind=0.4)
    shown = page(operator, broadcast)
    for words in (
        "5s",
        "@vip",
        "^(ivr|sales)",
        '["a","b"]',
        "time-out '5s' is not a number",
        "@vip (version 3)",
        "gold",
        "4711",
        "409 taken already, 0.4 ms behind the winner",
        '"state": "Ring"',
        "Normal Clearing",
        "its own socket",
    ):
        assert words in shown


def test_who_did_not_answer_and_who_could_not_take_the_call_is_told(operator):
    broadcast = make_broadcast(["quiet", "broken"])
    Candidate.objects.filter(application="broken").update(
        failed_at=timezone.now(), failure="the move failed"
    )
    claim(broadcast, "broken", 10, Verdict.WON)
    claim(broadcast, "broken", 11, Verdict.NOT_OFFERED)
    candidates = operator.get(address(broadcast)).context["candidates"]
    assert [one["claim"] and one["claim"]["answer"] for one in candidates] == [None, 204]
    shown = page(operator, broadcast)
    assert "did not answer" in shown
    assert "failed: the move failed" in shown


def test_it_leads_to_what_is_alike_without_telling_the_number(operator):
    broadcast = make_broadcast(
        status=Status.CLAIMED, winner="a&b", offered=["a&b"], caller_number="+15551234567"
    )
    other = make_broadcast(caller_number="+15551234567")
    make_broadcast(caller_number="+15557654321")
    shown = page(operator, broadcast)
    history = reverse("web:history")
    for query in (f"same_caller={broadcast.pk}", f"same_channel={broadcast.pk}", "winner=a%26b"):
        assert f'href="{history}?{query}"' in shown
    assert "15551234567" not in shown
    found = operator.get(history, {"same_caller": broadcast.pk}).context["rows"]
    assert {row["id"] for row in found} == {broadcast.pk, other.pk}


def test_a_number_is_masked_wherever_it_stands(operator):
    number = "+15551234567"
    broadcast = make_broadcast(
        ["a"],
        caller_number=number,
        channel_name=f"PJSIP/{number}-1",
        caller_name="Example",
        app_args=[number, "Example"],
        arguments_given=["", "", number, "Example"],
        channel={"name": f"PJSIP/{number}-1", "caller": {"name": "Example", "number": number}},
        reason=f"{number} (Example) hung up",
        warnings=[f"{number} is odd, example, too"],
    )
    Candidate.objects.update(
        failed_at=timezone.now(), failure=f"no channel PJSIP/{number}-1 of Example"
    )
    shown = page(operator, broadcast)
    assert number not in shown
    assert "example" not in shown.casefold()
    assert "no channel PJSIP/•••4567-1 of E•••" in shown


def test_hundreds_of_candidates_are_listed_on_demand(operator):
    broadcast = make_broadcast([f"app-{number:03d}" for number in range(200)])
    shown = page(operator, broadcast)
    assert "app-049" in shown
    assert "app-050" not in shown
    assert 'href="?all"' in shown
    shown = page(operator, broadcast, "?all")
    assert "app-199" in shown
    assert 'href="?all"' not in shown


def test_it_takes_the_same_few_queries_however_much_happened(client, django_assert_num_queries):
    user = make_member("auditor")
    user.is_staff = True
    user.save()
    client.force_login(user)
    make_preset("vip")
    quiet = make_broadcast([], preset_name="vip", preset_version=1)
    busy = make_broadcast(
        [f"app-{number}" for number in range(60)], preset_name="vip", preset_version=1
    )
    for number in range(60):
        claim(busy, f"app-{number}")
    for broadcast in (quiet, busy):
        with django_assert_num_queries(8):
            client.get(address(broadcast))


def test_the_version_of_its_preset_is_a_link_for_who_may_see_it(client):
    entry = make_preset("vip").history.get()
    version = reverse("admin:broadcasts_preset_version", args=[entry.id, entry.history_id])
    broadcast = make_broadcast(preset_name="vip", preset_version=1)
    for role, seen in (("auditor", True), ("operator", False)):
        user = make_member(role)
        user.is_staff = True
        user.save()
        client.force_login(user)
        assert (version in page(client, broadcast)) is seen
