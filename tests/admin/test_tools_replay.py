"""The replay of a draft from the admin."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from broadcasts.admin import tools_replay
from broadcasts.models import Broadcast, Defaults, Revision
from tests.admin.cast import visitor
from tests.builders import make_broadcast, make_connection, make_server

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def connected():
    for name in ("ivr-1", "sales", "support"):
        make_connection(name, timezone.now() - timedelta(days=20))


def replayed(app_filter: str, timeout_ms: str = "500", **posted):
    """Replay a draft of one round; returns what the page was made of."""
    draft = {"rounds-app_filter": app_filter, "rounds-timeout_ms": timeout_ms}
    answer = visitor("admin").post(reverse("admin:replay"), {**draft, **posted})
    assert answer.status_code == 200
    return answer.context


def test_who_gains_and_who_loses_is_shown():
    make_broadcast(["ivr-1"])
    context = replayed("^s")
    assert (context["result"].changed, context["result"].examined) == (1, 1)
    assert context["tables"] == [
        ("Who gains", "more", [("sales", 1), ("support", 1)], 0),
        ("Who loses", "fewer", [("ivr-1", 1)], 0),
    ]


def test_the_form_of_a_preset_replays_the_last_days():
    make_broadcast(["ivr-1"], opened_at=timezone.now() - timedelta(days=6))
    make_broadcast(["ivr-1"], opened_at=timezone.now() - timedelta(days=8))
    context = replayed("^s", name="a-draft", description="", args="")
    assert context["result"].examined == 1


def test_only_the_chosen_calls_are_looked_at():
    now = timezone.now()
    make_broadcast(["ivr-1"], opened_at=now - timedelta(hours=1), preset_name="vip")
    make_broadcast(["ivr-1"], opened_at=now - timedelta(hours=9))
    other = make_broadcast(["ivr-1"], server=make_server("other"))
    start = (timezone.localtime() - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M")
    assert replayed("", start=start)["result"].examined == 2
    assert replayed("", preset="vip")["result"].examined == 1
    assert replayed("", server=other.server_id)["result"].examined == 1


def test_a_timeout_that_is_left_open_is_the_default(monkeypatch):
    Defaults.objects.create(timeout_ms=4321)
    rounds = []
    monkeypatch.setattr(
        tools_replay,
        "replay",
        lambda given, *_, **__: rounds.extend(given) or tools_replay.Replay(),
    )
    replayed("^s", timeout_ms="")
    assert [one.timeout_ms for one in rounds] == [4321]


@pytest.mark.parametrize(
    ("posted", "field", "fault"),
    [
        ({"app_filter": "^(s"}, "rounds", "round 1: app_filter '^(s'"),
        ({"app_filter": "s", "timeout_ms": "soon"}, "rounds", "is not a whole number"),
        ({"app_filter": "s", "start": "yesterday"}, "start", "valid date"),
        (
            {"app_filter": "s", "start": "2026-05-02T10:00", "end": "2026-05-01T10:00"},
            "end",
            "ends before it begins",
        ),
    ],
)
def test_what_cannot_be_replayed_says_why(posted, field, fault):
    context = replayed(**posted)
    assert "result" not in context
    assert fault in " ".join(context["form"].errors[field])


def test_of_many_applications_those_it_concerns_most_are_listed(monkeypatch):
    monkeypatch.setattr(tools_replay, "MOST_LISTED", 1)
    make_broadcast(["ivr-1"])
    gains, _ = replayed("^s")["tables"]
    assert gains == ("Who gains", "more", [("sales", 1)], 1)


def test_a_replay_changes_nothing():
    make_broadcast(["ivr-1"])
    before = Revision.current(), list(Broadcast.objects.values())
    replayed("^s")
    assert (Revision.current(), list(Broadcast.objects.values())) == before
