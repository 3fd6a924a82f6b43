"""The record as programs read it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from broadcasts.api import views
from broadcasts.domain.lifecycle import Status
from broadcasts.domain.verdict import Verdict
from broadcasts.history import columns
from broadcasts.history.filters import BroadcastFilter
from broadcasts.models import Broadcast, ClaimAttempt
from tests.api.cast import BROADCASTS, Program
from tests.builders import make_broadcast, make_lease, make_presence, make_process, make_server

pytestmark = pytest.mark.django_db

ATTEMPTS = "/api/v1/attempts/"


def make_attempt(broadcast=None, application="ivr-main", **columns):
    return ClaimAttempt.objects.create(
        broadcast=broadcast,
        channel_id=broadcast.channel_id if broadcast else "gone",
        application=application,
        user="ivr",
        at=timezone.now(),
        answer=204 if broadcast else 404,
        verdict=Verdict.WON if broadcast else Verdict.UNKNOWN,
        **columns,
    )


def test_a_list_shows_the_number_and_what_a_page_shows_unless_told(operator):
    make_broadcast()
    (row,) = operator.rows()
    assert list(row) == ["id", *(column.key for column in columns.USUAL)]


def test_columns_are_chosen_by_their_keys(operator):
    broadcast = make_broadcast(preset_name="vip", preset_version=3)
    assert operator.rows(fields="preset,server,id, preset") == [
        {"preset": "@vip (version 3)", "server": "pbx", "id": broadcast.pk}
    ]
    everything = ",".join(columns.BY_KEY)
    assert operator.rows(fields=everything)[0].keys() == columns.BY_KEY.keys()


def test_times_are_answered_in_utc(operator):
    broadcast = make_broadcast()
    (row,) = operator.rows(fields="opened_at", zone="Asia/Tokyo")
    assert row["opened_at"] == broadcast.opened_at.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"period": "all"},
        {"status": ["claimed", "timed_out"]},
        {"winner": "ivr-main"},
        {"q": "601"},
        {"caller": "+15550100", "failed_handover": "false"},
        {"server": "pbx", "candidate": "ivr-main"},
        {"latency_min": "5", "latency_max": "20"},
    ],
)
def test_the_filter_is_that_of_the_pages(operator, asked):
    make_broadcast(status=Status.CLAIMED)
    make_broadcast(status=Status.TIMED_OUT, called="601")
    make_broadcast(server=make_server("branch"), status=Status.FAILED, caller_number="")
    make_broadcast(opened_at=timezone.now() - timedelta(days=30))
    found = BroadcastFilter(asked, queryset=Broadcast.objects.all()).qs
    keys = found.order_by("-opened_at", "-pk").values_list("pk", flat=True)
    assert [row["id"] for row in operator.rows(**asked)] == list(keys)


def test_hours_are_those_of_the_zone_that_is_asked_for(operator):
    at = timezone.now().replace(hour=10, minute=0) - timedelta(days=1)
    broadcast = make_broadcast(opened_at=at)
    assert [row["id"] for row in operator.rows(hour=19, zone="Asia/Tokyo")] == [broadcast.pk]
    assert operator.rows(hour=19) == []


def test_pages_hold_every_broadcast_once_while_others_come_in(operator):
    offered = {make_broadcast(status=Status.FAILED).pk for _ in range(23)}
    at = timezone.now() - timedelta(hours=1)
    offered |= {make_broadcast(status=Status.FAILED, opened_at=at).pk for _ in range(9)}
    seen, address = [], f"{BROADCASTS}?page_size=4&fields=id"
    while address:
        page = operator.client.get(address).json()
        seen += [row["id"] for row in page["results"]]
        address = page["next"]
        make_broadcast()
    assert len(seen) == len(offered)
    assert set(seen) == offered


def test_a_page_leads_back_to_the_one_before(operator):
    for _ in range(5):
        make_broadcast()
    first = operator.get(page_size=2).json()
    second = operator.client.get(first["next"]).json()
    assert first["previous"] is None
    assert operator.client.get(second["previous"]).json()["results"] == first["results"]


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"wnner": "ivr-main", "status": "failed"}, {"wnner"}),
        ({"format": "json"}, {"format"}),
        ({"status": "lost"}, {"status"}),
        ({"since": "2026-02-30T00:00:00Z"}, {"since"}),
        ({"since": "0001-01-01T00:00:00+14:00"}, {"since"}),
        ({"failed_handover": "perhaps"}, {"failed_handover"}),
        ({"same_caller": "1.5"}, {"same_caller"}),
        ({"q": "\0"}, {"q"}),
        ({"winner": ["a", "b"]}, {"winner"}),
        ({"fields": "id,password"}, {"fields"}),
        ({"fields": ""}, {"fields"}),
        ({"unmasked": "perhaps"}, {"unmasked"}),
        ({"zone": "Middle/Earth"}, {"zone"}),
        ({"zone": "../../etc/passwd"}, {"zone"}),
        ({"page_size": "501"}, {"page_size"}),
        ({"page_size": "0"}, {"page_size"}),
        ({"page_size": "-1"}, {"page_size"}),
        ({"page_size": "9" * 5000}, {"page_size"}),
        ({"cursor": "nonsense"}, {"cursor"}),
        ({"cursor": "cD1uZXZlcg=="}, {"cursor"}),  # p=never
        ({"cursor": "cD0yMDI2LTEzLTAx"}, {"cursor"}),  # p=2026-13-01
        ({"cursor": "cD0wMDAxLTAxLTAxVDAwOjAwOjAwKzE0OjAw"}, {"cursor"}),
        ({"cursor": "bz0tMQ=="}, {"cursor"}),  # o=-1
    ],
)
def test_what_is_not_understood_is_named_and_nothing_is_read(operator, asked, named):
    make_broadcast()
    assert operator.refused(**asked) == named


def test_a_column_that_there_is_not_is_told_those_that_there_are(operator):
    told = operator.get(fields="password").json()["parameters"]["fields"]
    assert "password" in told[0]
    assert "claim_ms" in told[0]


@pytest.mark.parametrize("at", ["7/", f"{'9' * 30}/"])
def test_a_broadcast_that_there_is_not_is_not_found(operator, at):
    answer = operator.get(BROADCASTS + at)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert at.rstrip("/") in answer.json()["message"]


@pytest.mark.parametrize(
    "address", ["/api/v1/", "/api/v1/nowhere/", "/api/v1/broadcasts", "/api/v1/broadcasts/x/"]
)
def test_an_address_that_there_is_not_is_not_found(operator, address):
    answer = operator.get(address)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_format_that_there_is_not_is_refused_in_json(operator):
    answer = operator.client.get(BROADCASTS, headers={"accept": "text/csv"})
    assert (answer.status_code, answer.json()["code"]) == (406, "not_acceptable")


def test_a_fault_of_ours_is_answered_in_the_same_shape_and_logged(operator, monkeypatch, caplog):
    def fail(*_, **__):
        raise RuntimeError("a secret detail")

    monkeypatch.setattr(views, "read", fail)
    answer = operator.get()
    assert (answer.status_code, answer.json()["code"]) == (500, "fault")
    assert "secret" not in answer.content.decode()
    assert "a secret detail" in caplog.text


def test_one_broadcast_tells_everything(operator):
    broadcast = make_broadcast(offered=["a", "b"], status=Status.CLAIMED)
    attempt = make_attempt(broadcast, "a", since_offered_ms=12.5)
    told = operator.get(f"{BROADCASTS}{broadcast.pk}/").json()
    assert told.keys() == {*columns.BY_KEY, "offered_to", "attempts"}
    assert [one["application"] for one in told["offered_to"]] == ["a", "b"]
    assert told["channel"] == broadcast.channel
    assert [one["id"] for one in told["attempts"]] == [attempt.pk]
    assert told["attempts"][0]["verdict"] == "won"


def test_a_number_in_what_is_told_of_a_candidate_is_masked(operator):
    broadcast = make_broadcast(["ada"], caller_name="Ada")
    broadcast.candidates.update(failure="Ada (+15550100) was gone")
    told = operator.get(f"{BROADCASTS}{broadcast.pk}/").json()
    assert told["offered_to"][0]["failure"] == "A••• (•••0100) was gone"
    assert told["offered_to"][0]["application"] == "ada"


def test_a_name_is_masked_in_every_column(operator):
    make_broadcast(
        caller_name="Ada Lovelace",
        channel_name="Local/ada_lovelace@trunk",
        app_args=["Ada Lovelace"],
        arguments_given=["", "", "Ada Lovelace"],
        reason="Ada Lovelace hung up",
        warnings=["Ada Lovelace"],
        channel={"dialplan": {"app_data": "Ada Lovelace"}},
    )
    for keys in (",".join(column.key for column in columns.ALL), "app_args", "channel"):
        assert "lovelace" not in operator.get(fields=keys).content.decode().casefold()


def test_attempts_are_those_of_a_broadcast_or_of_none(operator):
    broadcast = make_broadcast()
    first, second = make_attempt(broadcast), make_attempt(broadcast, "b")
    stray = make_attempt()
    make_attempt(make_broadcast())
    asked = {"broadcast": broadcast.pk}
    assert [row["id"] for row in operator.rows(ATTEMPTS, **asked)] == [second.pk, first.pk]
    assert [row["id"] for row in operator.rows(ATTEMPTS)] == [stray.pk]
    assert operator.refused(ATTEMPTS, broadcast="x", application="b") == {"application"}
    assert operator.refused(ATTEMPTS, broadcast="9" * 30) == {"broadcast"}


def test_attempts_have_pages(operator):
    keys = [make_attempt().pk for _ in range(5)]
    page = operator.get(ATTEMPTS, page_size=3).json()
    rest = operator.client.get(page["next"]).json()
    seen = [row["id"] for row in page["results"] + rest["results"]]
    assert (seen, rest["next"]) == (keys[::-1], None)
    assert operator.refused(ATTEMPTS, cursor="cD1uZXZlcg==") == {"cursor"}


def test_applications_are_those_of_living_processes(operator):
    since = timezone.now() - timedelta(minutes=5)
    dead = make_process(seen_at=timezone.now() - timedelta(minutes=1))
    make_presence("gone", process=dead)
    for name in ("sales", "ivr"):
        make_presence(name, process=make_process(), since=since)
    rows = operator.rows("/api/v1/applications/")
    assert rows == [
        {"application": name, "server": "pbx", "user": "ivr", "since": iso(since)}
        for name in ("ivr", "sales")
    ]
    page = operator.get("/api/v1/applications/", page_size=1).json()
    assert operator.client.get(page["next"]).json()["results"] == rows[1:]


def test_links_tell_which_are_up(operator):
    lease = make_lease(make_server("pbx"))
    make_server("new")
    make_server("off", enabled=False)
    up = {"up": True, "since": iso(lease.connected_since), "version": "22.5.0", "error": ""}
    down = {"up": False, "since": None, "version": "", "error": "not connected yet"}
    assert operator.rows("/api/v1/links/") == [{"name": "new", **down}, {"name": "pbx", **up}]


def test_access_events_are_found_by_what_and_who(auditor):
    auditor.get(unmasked="true")
    who = auditor.owner.username
    (event,) = auditor.rows("/api/v1/access-events/", kind="unmask", who=who)
    assert (event["who"], event["kind"], event["detail"]["path"]) == (who, "unmask", BROADCASTS)
    assert auditor.rows("/api/v1/access-events/", who="nobody") == []
    assert auditor.refused("/api/v1/access-events/", kind="lost", since="soon") == {"kind", "since"}


def iso(at):
    return at.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize(
    ("address", "queries"),
    # Of each, one for the token and its owner and one for what its role may.
    [
        (BROADCASTS, 3),
        (f"{BROADCASTS}{{pk}}/", 5),
        (f"{ATTEMPTS}?broadcast={{pk}}", 3),
        ("/api/v1/applications/", 3),
        ("/api/v1/links/", 3),
        ("/api/v1/access-events/", 3),
    ],
)
def test_many_rows_take_as_many_queries_as_one(address, queries, django_assert_num_queries):
    program = Program("auditor")
    first = make_broadcast(offered=["a", "b", "c"])
    for number in range(20):
        make_broadcast(server=make_server(f"pbx-{number}"))
        make_attempt(first)
        make_presence(f"ivr-{number}")
    with django_assert_num_queries(queries):
        assert program.get(address.format(pk=first.pk)).status_code == 200
