"""What a call gets, and where each value of it comes from."""

import pytest

from broadcasts.domain.dialplan_pattern import compile_pattern
from broadcasts.domain.plan import Configuration, Layer, PlannedRound, Source, explain
from broadcasts.domain.policy import OnFailedHandover
from broadcasts.domain.presets import Preset, Round
from broadcasts.domain.rules import Incoming, Rule

CALL = Incoming(1, "from-trunk", "600", "+15550100")

VIP = Preset("vip", 3, (Round("^vip-", 500), Round("", 2000)), ("sales",), True)
PLAIN = Preset("plain", 1, (Round("^ivr-", None),))


def rule(name: str, preset: str, extension: str = "") -> Rule:
    return Rule(name, preset, None, "", compile_pattern(extension), compile_pattern(""))


def plan(*raw: str, call: Incoming = CALL, **configuration):
    return Configuration(**{"presets": [VIP, PLAIN], **configuration}).plan(call, raw)


def test_without_a_configuration_a_call_is_judged_as_natively():
    judged = plan("2000", "^ivr-", "a:b", "yes")
    assert judged.rounds == (PlannedRound("^ivr-", 2000),)
    assert (judged.args, judged.notify_claimed, judged.refused) == (("a", "b"), True, "")
    assert (judged.preset, judged.preset_version, judged.rule) == ("", None, "")
    assert plan().rounds == (PlannedRound("", 500),)


# Presets


def test_the_dialplan_names_a_preset_in_the_filters_place():
    judged = plan("", "@vip")
    assert judged.rounds == (PlannedRound("^vip-", 500), PlannedRound("", 2000))
    assert (judged.args, judged.notify_claimed) == (("sales",), True)
    assert (judged.preset, judged.preset_version) == ("vip", 3)
    assert judged.sources["preset"] is Source.DIALPLAN
    assert judged.timeout_ms == 2500


def test_the_dialplans_other_arguments_override_the_preset():
    judged = plan("1000", "@plain", "x:y", "yes")
    assert judged.rounds == (PlannedRound("^ivr-", 1000),)
    assert (judged.args, judged.notify_claimed) == (("x", "y"), True)
    assert judged.sources["timeout_ms"] is Source.DIALPLAN
    assert judged.sources["app_filter"] is Source.PRESET


@pytest.mark.parametrize(
    ("timeout", "rounds"),
    [
        ("5000", [500, 4500]),
        ("1000", [500, 500]),
        ("500", [500]),
        ("300", [300]),
        ("0", [0]),
        ("2500", [500, 2000]),
    ],
)
def test_a_time_out_in_the_dialplan_is_one_for_all_rounds(timeout, rounds):
    assert [one.timeout_ms for one in plan(timeout, "@vip").rounds] == rounds


def test_a_time_out_that_cannot_be_read_leaves_the_presets_and_warns_of_it():
    judged = plan("soon", "@vip")
    assert judged.timeout_ms == 2500
    assert "2500 is used" in judged.warnings[0]
    assert judged.sources["timeout_ms"] is Source.PRESET


@pytest.mark.parametrize("app_filter", ["@nobody", "@", "@vip|plain", "@VIP"])
def test_an_unknown_preset_fails_the_call_and_never_widens_it(app_filter):
    native = Layer(bad_filter_admits_all=True)
    judged = plan("", app_filter, installation=native)
    assert "no preset" in judged.refused
    assert judged.preset_version is None


def test_an_unknown_presets_name_is_recorded_and_not_replaced_by_a_rule():
    judged = plan("", "@nobody", rules=[rule("all", "vip")])
    assert (judged.preset, judged.rule) == ("nobody", "")


# Filters that cannot be used


def test_a_refused_filter_fails_the_call_with_the_reason():
    assert "'('" in plan("", "(").refused


def test_a_setting_restores_that_a_refused_filter_admits_everyone():
    judged = plan("700", "(", installation=Layer(bad_filter_admits_all=True))
    assert judged.rounds == (PlannedRound("", 700),)
    assert judged.refused == ""
    assert "was not used" in judged.warnings[0]


# Rules


def test_a_rule_chooses_the_preset_where_the_dialplan_gives_no_filter():
    judged = plan("", "", "x", rules=[rule("sixes", "vip", "_6XX")])
    assert (judged.preset, judged.rule) == ("vip", "sixes")
    assert judged.sources["preset"] is Source.RULE
    assert judged.args == ("x",)


def test_a_filter_in_the_dialplan_stands_above_the_rules():
    judged = plan("", "^other$", rules=[rule("all", "vip")])
    assert judged.rounds == (PlannedRound("^other$", 500),)
    assert judged.preset == ""


def test_the_default_preset_is_for_calls_that_no_rule_catches():
    rules = [rule("sevens", "vip", "_7XX")]
    judged = plan(rules=rules, installation=Layer(preset="plain"))
    assert (judged.preset, judged.rule) == ("plain", "")
    assert judged.sources["preset"] is Source.INSTALLATION
    assert plan("", "^x", installation=Layer(preset="plain")).preset == ""


def test_a_preset_that_cannot_be_read_fails_the_calls_that_a_rule_sends_there():
    assert "no preset" in plan(rules=[rule("all", "spoilt")]).refused


# Defaults


def test_each_default_comes_from_the_first_layer_that_gives_it():
    judged = plan(
        layers={1: Layer(timeout_ms=900)},
        installation=Layer(timeout_ms=800, notify_claimed=True),
    )
    assert (judged.timeout_ms, judged.notify_claimed) == (900, True)
    assert judged.sources["timeout_ms"] is Source.SERVER
    assert judged.sources["notify_claimed"] is Source.INSTALLATION
    assert judged.sources["handover_ms"] is Source.ENVIRONMENT


def test_a_server_without_defaults_of_its_own_has_the_installations():
    assert (
        plan(layers={2: Layer(timeout_ms=900)}, installation=Layer(timeout_ms=800)).timeout_ms
        == 800
    )


def test_a_default_may_be_a_no_and_a_zero():
    judged = plan(
        layers={1: Layer(timeout_ms=0, notify_claimed=False)},
        installation=Layer(timeout_ms=800, notify_claimed=True),
    )
    assert (judged.timeout_ms, judged.notify_claimed) == (0, False)


def test_a_preset_leaves_to_the_defaults_what_it_does_not_say():
    judged = plan("", "@plain", layers={1: Layer(timeout_ms=900, notify_claimed=True)})
    assert (judged.timeout_ms, judged.notify_claimed) == (900, True)
    assert judged.sources["timeout_ms"] is Source.SERVER


def test_policy_is_the_servers_with_what_the_preset_says():
    returning = Preset("back", 1, PLAIN.rounds, on_failed_handover=OnFailedHandover.RETURN)
    configuration = Configuration([returning], layers={1: Layer(rescue=True, handover_ms=700)})
    policy = configuration.plan(CALL, ["", "@back"]).policy
    assert (policy.on_failed_handover, policy.rescue) == (OnFailedHandover.RETURN, True)
    assert policy.handover_ms == 700
    assert configuration.policy(1, "back") == policy
    assert configuration.policy(1).on_failed_handover is OnFailedHandover.OFFER_AGAIN


# Why


def test_an_explanation_names_the_rules_passed_over_and_what_did_not_fit():
    rules = [rule("sevens", "vip", "_7XX"), rule("sixes", "plain", "_6XX"), rule("all", "vip")]
    explained = explain(Configuration([VIP, PLAIN], rules), CALL, [])
    assert explained.plan.rule == "sixes"
    assert [(one.name, why) for one, why in explained.passed_over] == [("sevens", ("extension",))]


def test_rules_are_not_asked_where_the_dialplan_gives_a_filter():
    explained = explain(Configuration([VIP], [rule("all", "vip")]), CALL, ["", "^x"])
    assert explained.passed_over == ()
