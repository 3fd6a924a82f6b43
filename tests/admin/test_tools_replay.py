"""The replay of a draft from the admin."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from broadcasts import replay as replay_module
from broadcasts.admin import tools_replay
from broadcasts.models import Broadcast, Defaults, Revision
from tests.admin.cast import visitor
from tests.builders import make_broadcast, make_connection, make_server

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def connected():
    for name in ("ivr-1", "sales", "support"):
        make_connection(name, timezone.now() - timedelta(days=20))


def form(app_filter: str, timeout_ms: str = "500", **posted) -> dict[str, object]:
    """Return what the page's form sends, with a draft of one round."""
    draft = {"rounds-app_filter": app_filter, "rounds-timeout_ms": timeout_ms}
    return {**tools_replay.last_days(), **draft, **posted}


def replayed(app_filter: str, timeout_ms: str = "500", **posted):
    """Replay a draft without scripts; returns what the page was made of."""
    values = form(app_filter, timeout_ms, **posted)
    answer = visitor("admin").post(reverse("admin:replay"), values)
    assert answer.status_code == 200
    return answer.context


def sliced(app_filter: str, place: str = "", **posted):
    """Return the answer for one slice."""
    values = form(app_filter, place=place, **posted)
    return visitor("admin").post(reverse("admin:replay_slice"), values)


def test_who_gains_and_who_loses_is_shown():
    make_broadcast(["ivr-1"])
    context = replayed("^s")
    assert (context["result"].changed, context["result"].examined) == (1, 1)
    assert context["tables"] == [
        ("gains", "Who gains", "more", [("sales", 1), ("support", 1)], 0),
        ("losses", "Who loses", "fewer", [("ivr-1", 1)], 0),
    ]


def test_the_draft_of_a_presets_form_is_taken_over_for_the_last_days():
    """The page begins by itself; it is shown before any call is looked at."""
    draft = {"rounds-app_filter": "^s", "rounds-timeout_ms": "", "name": "a-draft", "args": ""}
    answer = visitor("admin").post(reverse("admin:replay"), draft)
    assert answer.context["result"] is None
    assert "data-begin" in answer.content.decode()
    assert answer.context["form"].cleaned_data["rounds"][0].app_filter == "^s"

    make_broadcast(["ivr-1"], opened_at=timezone.now() - timedelta(days=6))
    make_broadcast(["ivr-1"], opened_at=timezone.now() - timedelta(days=8))
    found = visitor("admin").post(reverse("admin:replay_slice"), draft).json()
    assert (found["examined"], found["place"], found["done"]) == (1, None, 1)


def test_slices_follow_each_other_to_the_end(monkeypatch):
    monkeypatch.setattr(replay_module, "SLICE", 2)
    now = timezone.now()
    for hours in range(5):
        make_broadcast(["ivr-1"], opened_at=now - timedelta(hours=hours))
    found, place = [], ""
    while place is not None:
        found.append(sliced("^s", place).json())
        place = found[-1]["place"]
    assert [one["examined"] for one in found] == [2, 2, 1]
    assert [one["losses"] for one in found] == [{"ivr-1": 2}, {"ivr-1": 2}, {"ivr-1": 1}]
    shares = [one["done"] for one in found]
    assert shares == sorted(shares)
    assert shares[-1] == 1


@pytest.mark.parametrize(
    "place", ["yesterday 1", "2026-05-01T10:00:00 1", "2026-05-01 x", "0001-01-01T00:00+14:00 1"]
)
def test_nonsense_is_no_place_in_a_replay(place):
    answer = sliced("^s", place)
    assert (answer.status_code, list(answer.json()["faults"])) == (400, ["place"])


def test_a_slice_of_a_bad_draft_says_why():
    answer = sliced("^(s")
    assert answer.status_code == 400
    assert "round 1: app_filter '^(s'" in answer.json()["faults"]["rounds"][0]


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
    assert context["result"] is None
    assert fault in " ".join(context["form"].errors[field])


def test_of_many_applications_those_it_concerns_most_are_listed(monkeypatch):
    monkeypatch.setattr(tools_replay, "MOST_LISTED", 1)
    make_broadcast(["ivr-1"])
    gains, _ = replayed("^s")["tables"]
    assert gains == ("gains", "Who gains", "more", [("sales", 1)], 1)


def test_a_replay_changes_nothing():
    make_broadcast(["ivr-1"])
    before = Revision.current(), list(Broadcast.objects.values())
    replayed("^s")
    assert (Revision.current(), list(Broadcast.objects.values())) == before
