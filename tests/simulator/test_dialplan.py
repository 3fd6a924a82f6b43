import pytest

from broadcasts.simulator.channel import Step
from broadcasts.simulator.dialplan import Dialplan

PLAN = """
[globals]
NAME=value
OTHER => x=y

[general]
static=yes

[default]
exten => 100,1,NoOp(first) ; a comment
 same => n(here),Set(A=1\\;2)
 same => 7,Hangup
exten => _1XX,2,NoOp(from the pattern)
exten = _[a-f]!,1,NoOp(letters)
"""


def test_priorities_labels_and_globals_are_read() -> None:
    plan = Dialplan(PLAN)
    assert plan.globals == {"NAME": "value", "OTHER": "x=y"}
    assert plan.step("default", "100", 1) == Step("NoOp", "first")
    assert plan.step("default", "100", 2) == Step("Set", "A=1;2")
    assert plan.step("default", "100", 7) == Step("Hangup", "")
    assert plan.label("default", "100", "here") == 2
    assert plan.label("default", "100", "gone") is None


def test_a_priority_that_the_extension_lacks_comes_from_a_pattern() -> None:
    plan = Dialplan("[a]\nexten => 100,1,NoOp(exact)\nexten => _1XX,1,NoOp(p)\n same => n,NoOp(q)")
    assert plan.step("a", "100", 1) == Step("NoOp", "exact")
    assert plan.step("a", "100", 2) == Step("NoOp", "q")
    assert plan.step("a", "199", 1) == Step("NoOp", "p")


@pytest.mark.parametrize(
    ("exten", "found"), [("abc", True), ("a", True), ("x", False), ("", False), ("1ab", False)]
)
def test_patterns_match_as_they_are_written(exten: str, found: bool) -> None:
    assert (Dialplan(PLAN).step("default", exten, 1) is not None) == found


def test_later_text_adds_to_a_context() -> None:
    plan = Dialplan(PLAN)
    plan.load("[default]\nexten => 200,1,NoOp()")
    assert plan.step("default", "100", 1)
    assert plan.step("default", "200", 1)


@pytest.mark.parametrize(
    "line", ["nonsense", "same => n,NoOp()", "exten => 1,x,NoOp()", "exten => 1,1,(x)"]
)
def test_a_line_that_is_none_is_named(line: str) -> None:
    with pytest.raises(ValueError, match=r"not a dialplan|without an extension"):
        Dialplan(f"[a]\n{line}")
