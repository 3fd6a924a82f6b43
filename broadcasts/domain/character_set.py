"""Sets of characters, and the named ones as glibc's C.UTF-8 locale has them."""

from dataclasses import dataclass
from functools import cache
from itertools import accumulate

from broadcasts.domain import character_classes

_END = 0x110000


@dataclass(frozen=True, slots=True)
class CodePoints:
    """A set of code points, kept as the ascending ones at which membership flips."""

    flips: tuple[int, ...] = ()

    def __or__(self, other: "CodePoints") -> "CodePoints":
        enters_and_leaves = sorted(
            (flip, leaves)
            for flips in (self.flips, other.flips)
            for flip, leaves in zip(flips, (False, True) * len(flips), strict=False)
        )
        flips = []
        inside = 0  # how many of the two sets the code point is in
        for flip, leaves in enters_and_leaves:
            inside += -1 if leaves else 1
            if inside == (0 if leaves else 1):
                flips.append(flip)
        return CodePoints(tuple(flips))

    def __invert__(self) -> "CodePoints":
        """Return every other code point."""
        flips = self.flips[1:] if self.flips[:1] == (0,) else (0, *self.flips)
        return CodePoints(flips[:-1] if flips[-1:] == (_END,) else (*flips, _END))

    def __sub__(self, other: "CodePoints") -> "CodePoints":
        return ~(~self | other)


def span(first: int, last: int) -> CodePoints:
    """Return the code points from first to last, both included."""
    return CodePoints((first, last + 1))


def _measured(table: str) -> CodePoints:
    return CodePoints(tuple(accumulate(int(distance, 16) for distance in table.split())))


# A C string has no NUL, and the halves of a surrogate pair are not characters of UTF-8.
EVERY_CHARACTER = span(1, 0xD7FF) | span(0xE000, _END - 1)


@dataclass(frozen=True, slots=True)
class Listed:
    """The characters in any of the items or, when negated, the characters in none of them."""

    items: frozenset[CodePoints]
    negated: bool = False


CharacterSet = frozenset[Listed]
"""The characters in any of its lists. Written out only in an alphabet, all sets of one at once."""


def characters(*items: CodePoints, negated: bool = False) -> CharacterSet:
    """Return the set that one list makes."""
    return frozenset([Listed(frozenset(items), negated)])


@cache
def named_classes() -> dict[str, CodePoints]:
    """Return the twelve classes that `[:name:]` knows, by name."""
    alpha = _measured(character_classes.ALPHA)
    graph = _measured(character_classes.GRAPH)
    digit = span(ord("0"), ord("9"))
    tab, blanks = span(0x09, 0x09), span(0x20, 0x20) | span(0x1680, 0x1680)
    # Of the spaces those that forbid a line break (0x2007 and the like) are no white space in C.
    blanks |= span(0x2000, 0x2006) | span(0x2008, 0x200A) | span(0x205F, 0x205F)
    blanks |= span(0x3000, 0x3000)
    separators = span(0x2028, 0x2029)
    return {
        "alnum": alpha | digit,
        "alpha": alpha,
        "blank": blanks | tab,
        "cntrl": span(0x00, 0x1F) | span(0x7F, 0x9F) | separators,
        "digit": digit,
        "graph": graph,
        "lower": _measured(character_classes.LOWER),
        "print": graph | blanks,
        "punct": graph - (alpha | digit),
        "space": blanks | span(0x09, 0x0D) | separators,
        "upper": _measured(character_classes.UPPER),
        "xdigit": digit | span(ord("A"), ord("F")) | span(ord("a"), ord("f")),
    }
