"""Filters out of a grammar, judged by glibc's regcomp() and regexec() and by ours."""

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from broadcasts.domain.app_filter import FilterRefused, compile_filter
from broadcasts.domain.character_set import named_classes
from broadcasts.domain.filter_guard import check_guard
from tests.domain.glibc import class_flips, matching, needs_glibc

pytestmark = needs_glibc

CHARACTERS = st.sampled_from([*"aab-_ .1é☃"])
BRACKETS = st.one_of(
    st.sampled_from(["[ab]", "[^a]", "[a-z]", "[]x]", "[^]-]", r"[\]", "[é☃]", "[a-]", "[--a]"]),
    st.sampled_from(["[[:alpha:]]", "[[:space:]_]", "[^[:alnum:]]", "[[:punct:]]", "[a-c-]"]),
    st.sampled_from(["[[.a.]b]", "[[=a=]]", "[[.-.]-a]"]),
)
ESCAPES = st.sampled_from([r"\w", r"\W", r"\s", r"\S", r"\.", r"\d", r"\é", r"\{", r"\}"])
ASSERTIONS = st.sampled_from(["^", "$", r"\b", r"\B", r"\<", r"\>", r"\`", r"\'"])
STRAY = st.sampled_from(["}", ")", "]", ",", "{", "|", "*", "[", "(", "\\"])
# Small counts: glibc copies what is repeated, and takes minutes and gigabytes over large ones.
REPETITIONS = st.one_of(
    st.just(""),
    st.sampled_from(["*", "+", "?", "{2}", "{,2}", "{1,}", "{0,3}", "{0}", "{3,}"]),
    st.sampled_from(["*?", "{2}{1,2}", "{1,2}+", "{2,1}", "{,}", r"{1\,2}"]),
)


def alternatives(pieces):
    branch = st.lists(st.tuples(pieces, REPETITIONS).map("".join), max_size=4).map("".join)
    return st.lists(branch, min_size=1, max_size=3).map("|".join)


ATOMS = st.one_of(CHARACTERS, CHARACTERS, st.just("."), BRACKETS, ESCAPES, ASSERTIONS, STRAY)
PATTERNS = alternatives(
    st.recursive(ATOMS, lambda inner: alternatives(inner).map("({})".format), max_leaves=12)
)
NAMES = st.lists(st.text(alphabet="aab-_ 1é☃.A", max_size=7), max_size=12)
USUAL_NAMES = ["", "a", "b", "aa", "ab", "aab", "a b", "-", "_a", "é", "☃é", "a.é", "bab", "٣"]


def ours(pattern, names):
    try:
        compiled = compile_filter(pattern)
    except FilterRefused:
        return None
    return [name for name in names if compiled.admits(name)]


def passes_guard(pattern):
    try:
        check_guard(pattern)
    except FilterRefused:
        return False
    return True


@settings(max_examples=500, deadline=None)
@given(PATTERNS, NAMES)
@example("(^a){2}", [])
@example("(a$){2}", [])
@example("b(^a){0,3}$", ["baa"])
@example("^(a\\b)*$", [])
@example("a{1\\,2}b", ["aab"])
@example("^a{\\0}$", [])
@example("(|)*", [])
@example("a|)", ["a)"])
@example("[[=a=]-c]", [])
@example("[[.].]]", ["]"])
@example("[[...]]", ["."])
def test_glibc_agrees(pattern, names):
    assume(passes_guard(pattern))
    names = USUAL_NAMES + names
    assert ours(pattern, names) == matching(pattern, names)


@pytest.mark.parametrize("name", sorted(named_classes()))
def test_glibc_has_the_same_characters_in_a_class(name):
    # Up to Cyrillic: beyond, every version of Unicode brings letters that the one before lacked.
    end = 0x500
    ours_below_end = [flip for flip in named_classes()[name].flips if flip < end]
    assert ours_below_end == class_flips(name, end)
