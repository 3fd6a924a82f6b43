"""Trying a draft: who is in and who is out."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from broadcasts.admin import tools_try
from broadcasts.models import Revision
from tests.admin.cast import visitor
from tests.builders import make_connection, make_presence

pytestmark = pytest.mark.django_db

EVERYONE = {"rounds-app_filter": "", "rounds-timeout_ms": ""}


def tried(**posted):
    answer = visitor("admin").post(reverse("admin:try_it"), {**EVERYONE, **posted})
    assert answer.status_code == 200
    return answer.json()


def rounds(*filters: str, timeout: str = "500"):
    return {"rounds-app_filter": filters, "rounds-timeout_ms": [timeout] * len(filters)}


def ins(tried_round) -> dict[str, bool]:
    return {one["name"]: one["in"] for one in tried_round["listed"]}


def test_each_round_tells_who_is_in_and_who_is_out():
    make_presence("vip-1")
    make_presence("sales")
    first, second = tried(**rounds("^vip-", "s"))["rounds"]
    assert ins(first) == {"vip-1": True, "sales": False}
    assert ins(second) == {"vip-1": False, "sales": True}


def test_those_seen_in_the_last_30_days_follow_those_that_are_connected():
    make_presence("here")
    now = timezone.now()
    make_connection("seen", now - timedelta(days=9), now - timedelta(days=8))
    make_connection("forgotten", now - timedelta(days=90), now - timedelta(days=80))
    (one,) = tried()["rounds"]
    assert [app["name"] for app in one["listed"]] == ["here", "seen"]
    assert one["listed"][0]["seen"] is None
    assert one["listed"][1]["seen"] is not None
    assert one["counts"] == {"connected_in": 1, "connected": 1, "others_in": 1, "others": 1}


def test_a_refused_filter_says_why_and_lists_nobody():
    make_presence("vip-1")
    bad, good = tried(**rounds("^(vip", "vip"))["rounds"]
    assert bad["listed"] is None and bad["counts"] is None
    assert bad["faults"][0].startswith("app_filter '^(vip'")
    assert good["faults"] == [] and ins(good) == {"vip-1": True}


def test_a_preset_is_no_filter_of_a_preset():
    (one,) = tried(**rounds("@other"))["rounds"]
    assert one["faults"] == ["a preset cannot name another preset"]
    assert one["listed"] is None


def test_a_bad_timeout_is_told_beside_who_is_in():
    make_presence("vip-1")
    (one,) = tried(**rounds("vip", timeout="soon"))["rounds"]
    assert one["faults"] == ["timeout_ms 'soon' is not a whole number of milliseconds"]
    assert ins(one) == {"vip-1": True}


def test_a_timeout_of_thousands_of_digits_is_told():
    (one,) = tried(**rounds("vip", timeout="9" * 5000))["rounds"]
    assert one["faults"][0].endswith("is not a whole number of milliseconds")


def test_arguments_that_would_be_lost_are_told():
    assert tried(args="sales::high")["args"] == ["argument 2 is empty and is not passed on"]


def test_what_concerns_all_rounds_is_told():
    assert tried(**rounds("a", "b", timeout=""))["faults"] == [
        "each of several rounds needs its timeout_ms"
    ]


def test_of_many_applications_the_first_of_each_kind_are_listed_and_all_are_counted(monkeypatch):
    monkeypatch.setattr(tools_try, "MOST_LISTED", 1)
    for name in "abcd":
        make_presence(name)
    (one,) = tried(**rounds("[cd]"))["rounds"]
    assert ins(one) == {"c": True, "a": False}
    assert one["counts"]["connected_in"] == 2 and one["counts"]["connected"] == 4


def test_trying_changes_nothing():
    before = Revision.current()
    tried(**rounds("^vip-"))
    assert Revision.current() == before
