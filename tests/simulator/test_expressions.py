import pytest

from broadcasts.simulator.expressions import evaluate, split_arguments, substitute


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        ("", []),
        ("a", ["a"]),
        ("a,,b,", ["a", "", "b", ""]),
        ('"a,b",c', ["a,b", "c"]),
        ("[,],(x,y)", ["[,]", "(x,y)"]),
        (r"\\.a\,b", [r"\.a,b"]),
        # As a real Asterisk 23 read it: the quotes close around ")x]$," and open again.
        (r'^(a|b)\\.c[^)"x]$,"x,y":z,yes,', [r"^(a|b)\.c[^)x]$,x", "y:z,yes,"]),
    ],
)
def test_arguments_are_split_as_asterisk_splits_them(text: str, arguments: list[str]) -> None:
    assert split_arguments(text) == arguments


def test_gosub_keeps_quotes_and_backslashes_for_the_next_split() -> None:
    assert split_arguments(r'"a,b",\,c', unquote=False) == ['"a,b"', r"\,c"]


def test_what_a_variable_holds_is_not_substituted_again() -> None:
    values = {"A": "${B} $[1 = 1]", "B": "b", "NAME": "B"}
    assert substitute("<${A}> ${${NAME}} $5", lambda name: values[name]) == "<${B} $[1 = 1]> b $5"


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ('"a" = "a"', "1"),
        ('"a" = "b"', "0"),
        ('"" != "x"', "1"),
        ('"a" = "b" | "c" = "c"', "1"),
        ('"a" = "a" & "c" = "d"', "0"),
        ("1", "1"),
    ],
)
def test_expressions_compare_and_combine(expression: str, value: str) -> None:
    assert evaluate(expression) == value


@pytest.mark.parametrize("expression", ["1 + 1", '"a" = "b" = "c"', "a ! b", ""])
def test_an_expression_beyond_the_known_part_is_refused(expression: str) -> None:
    with pytest.raises(ValueError, match="not understood"):
        evaluate(expression)
