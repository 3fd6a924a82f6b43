"""The guard that native `StasisBroadcast` holds before its regular expression compiler.

A filter that native's guard rejects is refused here too, so that a dialplan means the same behind
both. The guard does not keep the peace alone (some filters that pass it take glibc minutes to
compile); the bounds that do are in `re2_translation`. Source of the rules, including their
oddities: Asterisk, `res/res_stasis_broadcast.c`.
"""

import re

MAX_BYTES = 256
MAX_DEPTH = 10
MAX_QUANTIFIED_GROUPS = 3
MAX_BOUND = 100
MAX_DEEP_ALTERNATIONS = 20
DEEP = 2  # groups nested deeper than this count as deep


class FilterRefused(ValueError):
    """The filter cannot be used; the text says why, for an operator."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


# What the guard looks at. Unlike POSIX it lets a backslash escape inside [...], and unlike any
# parser it takes a "[" after an escaped backslash for an ordinary character.
_TOKEN = re.compile(
    r"""
    (?P<escaped> \\. )
    | (?P<brackets> (?<!\\) \[ \^? \]? (?: \\. | [^\]\\] )* )
    | (?P<bound> \{ (?P<low>[0-9]+) (?: , (?P<high>[0-9]*) )? (?P<closed>\})? )
    | (?P<repeat> [+*?] )
    | (?P<open> \( )
    | (?P<close> \) )
    | (?P<bar> \| )
    """,
    re.VERBOSE | re.DOTALL,
)


def check_guard(pattern: str) -> None:
    """Raise FilterRefused where native's guard rejects the filter."""
    if len(pattern.encode()) > MAX_BYTES:
        raise FilterRefused(f"the filter is longer than {MAX_BYTES} bytes")
    tokens = list(_TOKEN.finditer(pattern))
    _check_groups(tokens)
    _check_quantifiers(tokens, pattern)


def _check_groups(tokens: list[re.Match[str]]) -> None:
    alternations = [0]  # of each open group; the first entry stands for the whole filter
    for token in tokens:
        if token.lastgroup == "open":
            alternations.append(0)
        elif token.lastgroup == "close" and len(alternations) > 1:
            alternations.pop()
        elif token.lastgroup == "bar":
            alternations[-1] += 1
        depth = len(alternations) - 1
        if depth > MAX_DEPTH:
            raise FilterRefused(f"groups are nested deeper than {MAX_DEPTH}")
        if depth > DEEP and alternations[-1] > MAX_DEEP_ALTERNATIONS:
            raise FilterRefused(
                f"a group nested deeper than {DEEP} has more than {MAX_DEEP_ALTERNATIONS} '|'"
            )


def _check_quantifiers(tokens: list[re.Match[str]], pattern: str) -> None:
    quantified_groups = 0
    for token in tokens:
        if token["bound"] and _exceeds_bound(token):
            raise FilterRefused(f"a repetition in {{}} goes above {MAX_BOUND}")
        is_quantifier = token["repeat"] or token["closed"]
        quantified_groups += bool(is_quantifier) and pattern[: token.start()].endswith(")")
    if quantified_groups > MAX_QUANTIFIED_GROUPS:
        raise FilterRefused(f"more than {MAX_QUANTIFIED_GROUPS} groups are repeated")


def _exceeds_bound(token: re.Match[str]) -> bool:
    return any(int(number or "0") > MAX_BOUND for number in (token["low"], token["high"]))
