"""What a preset may hold."""

import pytest

from broadcasts.domain.presets import PresetRefused, Round, read_preset_args, read_rounds


def round_of(app_filter="^ivr-", timeout_ms=500):
    return {"app_filter": app_filter, "timeout_ms": timeout_ms}


def faults_of(rounds) -> list[str]:
    with pytest.raises(PresetRefused) as refused:
        read_rounds(rounds)
    return refused.value.faults


def test_a_single_round_may_leave_its_time_out_to_the_defaults():
    assert read_rounds([round_of(timeout_ms=None)]) == (Round("^ivr-", None),)
    assert read_rounds([{"app_filter": ""}]) == (Round("", None),)


def test_several_rounds_are_read_in_their_order():
    rounds = [round_of("^vip-", 500), round_of("", 2000)]
    assert read_rounds(rounds) == (Round("^vip-", 500), Round("", 2000))


def test_each_of_several_rounds_needs_its_time_out():
    assert faults_of([round_of(), round_of(timeout_ms=None)]) == [
        "each of several rounds needs its timeout_ms"
    ]


@pytest.mark.parametrize("timeout_ms", [0, 60_000])
def test_a_time_out_may_be_as_long_as_natively(timeout_ms):
    assert read_rounds([round_of(timeout_ms=timeout_ms)])


def test_all_rounds_together_may_not_take_longer():
    assert "70000 ms together" in faults_of([round_of("a", 30_000), round_of("b", 40_000)])[0]


@pytest.mark.parametrize(
    ("rounds", "complaint"),
    [
        ([], "at least one round"),
        ("^ivr-", "at least one round"),
        (None, "at least one round"),
        (["^ivr-"], "round 1: it has to name its app_filter"),
        ([round_of("(")], "round 1: app_filter '(': a '(' is not closed"),
        ([round_of(None)], "round 1: app_filter has to be a text"),
        ([round_of("@vip")], "round 1: a preset cannot name another preset"),
        ([round_of(), round_of(timeout_ms=60_001)], "round 2: timeout_ms 60001 is not between"),
        ([round_of(timeout_ms="500")], "round 1: timeout_ms '500' is not a whole number"),
        ([round_of(timeout_ms=True)], "round 1: timeout_ms True is not a whole number"),
        ([{**round_of(), "args": ""}], "round 1: unknown: args"),
        ([round_of(timeout_ms=1)] * 11, "11 rounds; at most 10"),
    ],
)
def test_what_cannot_be_used_is_named(rounds, complaint):
    assert any(complaint in fault for fault in faults_of(rounds))


def test_every_fault_is_named_at_once():
    assert len(faults_of([round_of("(", -1), round_of("[")])) == 3


def test_arguments_are_written_as_in_the_dialplan():
    assert read_preset_args("sales:priority-high") == ("sales", "priority-high")
    assert read_preset_args("") == ()


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a,b", "cut at its commas"),
        ("a::b", "argument 2 is empty"),
        (":".join(["a"] * 129), "129 arguments were given"),
    ],
)
def test_arguments_that_would_not_arrive_as_they_are_refused(text, complaint):
    with pytest.raises(PresetRefused, match=complaint):
        read_preset_args(text)
