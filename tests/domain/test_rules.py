"""Which rule catches a call."""

from hypothesis import given
from hypothesis import strategies as st

from broadcasts.domain.dialplan_pattern import compile_pattern
from broadcasts.domain.rules import Incoming, Rule, RuleIndex


def make_rule(name="rule", server_id=None, context="", extension="", caller="") -> Rule:
    patterns = compile_pattern(extension), compile_pattern(caller)
    return Rule(name, "preset", server_id, context, *patterns)


def caught_by(rules, **call) -> str | None:
    rule = RuleIndex(rules).first(Incoming(**{"server_id": 1, **call}))
    return rule.name if rule else None


def test_without_rules_nothing_is_caught():
    assert caught_by([]) is None


def test_a_rule_without_conditions_catches_every_call():
    assert caught_by([make_rule("all")], extension="600", caller="1") == "all"


def test_the_first_rule_that_matches_counts_not_the_closest():
    rules = [make_rule("any six", extension="_6!"), make_rule("exact", extension="600")]
    assert caught_by(rules, extension="600") == "any six"


def test_all_conditions_have_to_be_met():
    rule = make_rule("all four", 1, "trunk", "_6XX", "_+49!")
    met = {"context": "trunk", "extension": "600", "caller": "+4930"}
    assert caught_by([rule], **met) == "all four"
    for name, other in (
        ("server_id", 2),
        ("context", "inside"),
        ("extension", "700"),
        ("caller", "+1"),
    ):
        assert caught_by([rule], **{**met, name: other}) is None


def test_a_rule_tells_which_conditions_a_call_does_not_meet():
    rule = make_rule("all four", 1, "trunk", "_6XX", "_+49!")
    assert rule.mismatches(Incoming(1, "inside", "600", "")) == ("context", "caller")


def test_an_anonymous_call_is_caught_only_by_rules_for_any_caller():
    rules = [make_rule("numbered", caller="_X."), make_rule("any")]
    assert caught_by(rules, caller="") == "any"


patterns = st.sampled_from(
    ["", "1", "12", "1-2", "_1", "_1X", "_NX", "_X.", "_X!", "_.", "_!", "_[12]2", "_1-!", "_1X2X3"]
)
rules = st.lists(
    st.builds(
        make_rule,
        server_id=st.sampled_from([None, 1, 2]),
        context=st.sampled_from(["", "a", "b"]),
        extension=patterns,
        caller=patterns,
    ),
    max_size=12,
)
texts = st.text("1-2a9", max_size=6)


@given(rules, st.builds(Incoming, st.integers(1, 3), st.sampled_from(["", "a", "c"]), texts, texts))
def test_the_index_finds_what_asking_each_rule_in_turn_finds(rules, call):
    first = next((rule for rule in rules if not rule.mismatches(call)), None)
    assert RuleIndex(rules).first(call) is first
