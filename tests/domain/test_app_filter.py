import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from broadcasts.domain import app_filter
from broadcasts.domain.app_filter import (
    FilterRefused,
    compile_filter,
)
from broadcasts.domain.ere_tree import MAX_NAME_LENGTH
from broadcasts.domain.re2_translation import MAX_SIZE, MAX_WORK
from tests.domain.vectors import RECORDED

NAMES = RECORDED["names"]


def delivered(pattern, names=NAMES):
    return [name for name in names if compile_filter(pattern).admits(name)]


def reason_for_refusing(pattern):
    with pytest.raises(FilterRefused) as refusal:
        compile_filter(pattern)
    return refusal.value.reason


@pytest.mark.parametrize(
    "recorded",
    [one for one in RECORDED["filters"] if "delivered" in one],
    ids=lambda one: one["pattern"],
)
def test_a_filter_admits_whom_native_delivers_to(recorded):
    assert delivered(recorded["pattern"]) == [NAMES[index] for index in recorded["delivered"]]


@pytest.mark.parametrize(
    "recorded",
    [one for one in RECORDED["filters"] if "refused_by" in one],
    ids=lambda one: one["pattern"],
)
def test_a_filter_that_native_cannot_use_is_refused(recorded):
    assert reason_for_refusing(recorded["pattern"])


def test_the_empty_filter_admits_everyone():
    assert delivered("") == NAMES
    assert compile_filter("").admits("x" * 5000)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        (r"(a)\1", "back-references"),
        ("[[.ab.]]", "single ASCII character"),
        ("[[=é=]]", "single ASCII character"),
        ("[а-я]", "between ASCII characters"),
        ("[z-a]", "wrong way round"),
        ("[a-c-e]", "no valid start and end"),
        ("[[:alpha:]-z]", "no valid start and end"),
        ("[a-[:digit:]]", "no valid start and end"),
        ("[[:letter:]]", "no character class"),
        ("[a", "'[' is not closed"),
        ("[a-", "'[' is not closed"),
        ("[[.a", "'[' is not closed"),
        ("(a", "'(' is not closed"),
        ("^*", "nothing that '*' could repeat"),
        ("a|+", "nothing that '+' could repeat"),
        ("({2})", "nothing that '{' could repeat"),
        ("a{}", "does not start a repetition"),
        ("a{1", "does not start a repetition"),
        ("a{3,2}", "ends before it begins"),
        ("a{,40000}", "above 32767"),
        ("a\\", "lone backslash"),
        ("a\0b", "not text"),
        ("a\ud800", "not text"),
        ("^((ab?){0,100}c?){0,100}$", "too large"),
        (r"[\]?" + "(" * 20 + "^a|b" + ")+" * 20, "too many nested repetitions"),
    ],
)
def test_a_refusal_says_why(pattern, reason):
    assert reason in reason_for_refusing(pattern)


def test_every_character_that_a_filter_has_room_for_is_told_apart():
    plain = [chr(code) for code in range(1, 128) if chr(code) not in "\\|()[]{}.*+?^$"]
    longest = "".join(plain + [chr(code) for code in range(0x100, 0x100 + (256 - len(plain)) // 2)])
    assert len(longest.encode()) >= 255
    assert compile_filter(longest).admits(longest)
    for character in longest:
        assert not compile_filter(longest).admits(longest.replace(character, "{"))


def test_what_re2_will_not_compile_is_refused_and_not_printed(monkeypatch, capfd):
    monkeypatch.setattr(app_filter, "_MAX_MEMORY", 2_000)
    assert "memory" in reason_for_refusing("(memory is short){40}")
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("pattern", "admitted", "left_out"),
    [
        ("^(([0-9]){0,100}){0,100}.*", "x", None),
        ("^(([0-9]**){0,100}|-|r)-.*", "12-3", "12"),
        (r"^(([\]?|(a{100}){100}){100}b)$", "b", "a"),
    ],
)
def test_filters_that_hang_glibc_are_answered(pattern, admitted, left_out):
    assert compile_filter(pattern).admits(admitted)
    assert left_out is None or not compile_filter(pattern).admits(left_out)


def test_a_name_that_nobody_could_have_is_not_admitted():
    longest = "x" * MAX_NAME_LENGTH
    assert compile_filter("x").admits(longest)
    assert not compile_filter("x").admits(longest + "x")


def test_a_filter_that_is_slow_to_match_reads_shorter_names():
    slow = compile_filter("^((ab?){0,60}c?){0,60}$")
    assert MAX_WORK // MAX_SIZE <= slow.longest_name < MAX_NAME_LENGTH
    assert slow.admits("a" * slow.longest_name)
    assert not slow.admits("a" * (slow.longest_name + 1))


def test_counts_are_exact_up_to_the_longest_name():
    longest = "x" * MAX_NAME_LENGTH
    assert delivered("^(x{10}){100}$", [longest, longest[1:]]) == [longest]
    assert delivered("^(x{10}){99}$", [longest, longest[10:]]) == [longest[10:]]
    assert delivered("^(x{10}){99,100}y?$", [longest, longest[10:], longest[1:]]) == [
        longest,
        longest[10:],
    ]


def test_any_character_is_one_character():
    assert delivered("^.$", ["é", "☃", "\U0001f600", "\n", "e\u0301"]) == [
        "é",
        "☃",
        "\U0001f600",
        "\n",
    ]


def test_what_is_no_character_matches_nothing():
    assert delivered("^.$", ["\ud800", "\0"]) == []
    assert delivered("[^a]", ["\ud800", "\0"]) == []
    assert delivered("b", ["\ud800b"]) == ["\ud800b"]


def test_edges_of_words_lie_where_glibc_sees_them():
    names = ["", "é", "-", "é-x", "_ x", "-x", "--"]
    assert delivered(r"\<x", names) == ["é-x", "_ x", "-x"]
    assert delivered(r"é\>", names) == ["é", "é-x"]
    assert delivered(r"^\b", names) == ["é", "é-x", "_ x"]
    assert delivered(r"^\B", names) == ["", "-", "-x", "--"]
    assert delivered(r"\b$", names) == ["é", "é-x", "_ x", "-x"]


def test_a_filter_is_compiled_once():
    assert compile_filter("^once$") is compile_filter("^once$")


HOSTILE = st.lists(
    st.one_of(
        st.sampled_from(["a", "b", "é", ".", "[ab]", r"[\]", "[^a]", "[[:alpha:]]", r"\w", r"\<"]),
        st.sampled_from(["^", "$", r"\b", "(", "(", ")", ")", "|", "[", "\\"]),
        st.sampled_from(["*", "+", "?", "{0,100}", "{100}", "{,1000}", "{2,3}"]),
    ),
    max_size=80,
).map("".join)


@settings(max_examples=300, deadline=None)
@given(HOSTILE, st.text(alphabet="abé-_ ", max_size=MAX_NAME_LENGTH))
def test_any_filter_is_either_refused_or_answers(pattern, name):
    try:
        compiled = compile_filter(pattern)
    except FilterRefused as refusal:
        assert refusal.reason
    else:
        assert compiled.admits(name) in (True, False)


def test_nesting_costs_no_stack():
    pattern = r"[\]?" + "(" * 120 + "a" + ")" * 120
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(250)
    try:
        assert compile_filter(pattern).admits("xay")
    finally:
        sys.setrecursionlimit(limit)
