import pytest

from broadcasts.domain.filter_guard import FilterRefused, check_guard


@pytest.mark.parametrize(
    ("at_the_limit", "beyond", "reason"),
    [
        ("x" * 256, "x" * 257, "longer than 256 bytes"),
        ("é" * 128, "é" * 129, "longer than 256 bytes"),
        ("(" * 10, "(" * 11, "nested deeper than 10"),
        ("(a)+(b)*(c)?", "(a)+(b)*(c)?(d){2}", "more than 3 groups"),
        ("a{100}", "a{101}", "above 100"),
        ("a{1,100}", "a{1,101}", "above 100"),
        ("(((" + "a|" * 20 + "a)))", "(((" + "a|" * 21 + "a)))", "more than 20 '|'"),
    ],
)
def test_every_limit_is_the_last_that_passes(at_the_limit, beyond, reason):
    check_guard(at_the_limit)
    with pytest.raises(FilterRefused, match=reason.replace("|", r"\|")):
        check_guard(beyond)


@pytest.mark.parametrize(
    "pattern",
    [
        "((" + "a|" * 40 + "a))",  # not deep
        "(((a|b)))" * 12,  # each group counts for itself
        r"\(" * 20,  # escaped
        "[" + "(" * 20 + "]",  # inside brackets
        "[]" + "(" * 20 + "]",  # the first ] is one of the characters
        "[^]" + "(" * 20 + "]",
        "a{,101}",  # no bound to the guard, which knows only {m}, {m,} and {m,n}
        "a+b*c?d{2}",  # no groups
        "(a){2,x}" * 4,  # no bound, so no repetition
        "))))" + "(" * 10,  # nothing to close
    ],
)
def test_what_does_not_count_passes(pattern):
    check_guard(pattern)


def test_a_bound_too_high_counts_before_it_is_closed():
    with pytest.raises(FilterRefused, match="above 100"):
        check_guard("a{101")


def test_a_backslash_in_brackets_escapes_to_the_guard_alone():
    check_guard(r"[\]" + "(" * 20)
    with pytest.raises(FilterRefused):
        check_guard(r"[\a]" + "(" * 20)


def test_a_bracket_after_an_escaped_backslash_opens_nothing_to_the_guard():
    with pytest.raises(FilterRefused):
        check_guard(r"\\[" + "(" * 20 + "]")


def test_an_escaped_parenthesis_before_a_quantifier_counts_as_a_group():
    with pytest.raises(FilterRefused):
        check_guard(r"\)+\)+\)+\)+")
