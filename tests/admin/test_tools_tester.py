"""The rule tester: who chooses what a call gets, and where each value comes from."""

import pytest
from django.urls import reverse

from broadcasts.admin import tools_tester
from broadcasts.models import Defaults
from tests.admin.cast import visitor
from tests.builders import make_preset, make_rule, make_server

pytestmark = pytest.mark.django_db


def judged(**call):
    """Test a call; returns what the page was made of."""
    answer = visitor("admin").get(reverse("admin:rule_tester"), {"extension": "", **call})
    assert answer.status_code == 200
    return answer.context


def sources(context) -> dict[str, str]:
    return {row.label: row.source for row in context["in_force"]}


def test_without_a_call_there_is_the_form_alone():
    answer = visitor("admin").get(reverse("admin:rule_tester"))
    assert "plan" not in answer.context


def test_the_rule_that_catches_a_call_is_named_with_its_preset():
    make_rule("sixes", make_preset("vip"), extension="_6XX")
    context = judged(extension="612")
    assert context["chosen"] == "Preset vip, version 1: rule sixes matches."
    assert context["passed_over"] == []


def test_rules_that_were_passed_over_say_what_did_not_fit():
    server = make_server("pbx")
    make_rule("sixes", extension="_6XX", caller="_0.", position=1)
    make_rule("other", server=make_server("other"), context="from-trunk", position=2)
    make_rule("sevens", make_preset("vip"), extension="_7XX", position=3)
    context = judged(server=server.pk, extension="712", context="from-trunk")
    assert context["plan"].rule == "sevens"
    assert context["passed_over"] == [("sixes", "extension, caller"), ("other", "server")]


def test_rules_for_one_server_do_not_catch_calls_of_none():
    make_rule("ours", server=make_server("pbx"))
    assert judged(extension="600")["plan"].rule == ""


def test_each_value_tells_where_it_comes_from():
    server = make_server("pbx")
    make_rule("all", make_preset("vip", "^vip-", timeout_ms=700, notify_claimed=True))
    Defaults.objects.create(server=server, rescue=True)
    Defaults.objects.create(handover_ms=900)
    context = judged(server=server.pk, args="sales:high")
    told = sources(context)
    assert told["Rounds"] == told["Time-out"] == told["Tell the candidates who won"] == "preset"
    assert told["Arguments for the winner"] == "dialplan"
    assert told["Offer the call of a winner whose socket is lost again"] == "defaults of the server"
    assert told["A winner may take this long to appear (ms)"] == "defaults of the installation"
    assert told["Any name may claim"] == "environment"
    values = {row.label: row.value for row in context["in_force"]}
    assert values["Rounds"] == "^vip- for 700 ms"
    assert values["Arguments for the winner"] == "sales:high"


def test_a_filter_of_the_dialplan_asks_no_rule():
    make_rule("all")
    context = judged(app_filter="^vip-")
    assert context["chosen"] == "No preset: the dialplan gives a filter of its own."
    assert sources(context)["Rounds"] == "dialplan"


def test_a_preset_that_the_dialplan_names_is_used():
    make_preset("vip")
    assert judged(app_filter="@vip")["chosen"] == "Preset vip, version 1: the dialplan names it."


def test_a_preset_of_the_defaults_is_used_where_no_rule_matches():
    Defaults.objects.create(preset=make_preset("vip"))
    assert "defaults of the installation" in judged(extension="600")["chosen"]


def test_with_nothing_set_everyone_is_offered_the_call():
    context = judged(extension="600")
    assert context["chosen"].endswith("Everyone is offered the call.")
    assert sources(context)["Rounds"] == "nothing says otherwise"


@pytest.mark.parametrize("app_filter", ["^(vip", "@missing"])
def test_a_call_that_would_not_be_broadcast_says_why(app_filter):
    context = judged(app_filter=app_filter)
    assert context["plan"].refused
    page = visitor("admin").get(reverse("admin:rule_tester"), {"app_filter": app_filter})
    assert "The call would not be broadcast" in page.content.decode()


def test_warnings_are_shown():
    assert judged(timeout="soon")["plan"].warnings


def test_of_many_rules_the_first_are_listed(monkeypatch):
    monkeypatch.setattr(tools_tester, "MOST_LISTED", 1)
    for name in "abc":
        make_rule(name, extension="_6XX")
    context = judged(extension="700")
    assert context["passed_over"] == [("a", "extension")]
    assert context["unlisted"] == 2
