"""Patterns for numbers and extensions, as Asterisk's dialplan writes them.

A text that begins with `_` is a pattern: X is a digit, Z one of 1-9, N one of 2-9, `[15-7]` any of
the characters listed, and at the end `.` stands for one or more characters, `!` for any number,
none included. Letters of either case will do for X, Z and N. Any other text matches what equals it,
and the empty one everything. Hyphens, and blanks in a pattern, only separate. Source: Asterisk,
"Pattern Matching" in its documentation; the answers were compared with those of an Asterisk 23.

Where Asterisk would pass over a mistake in silence it is refused here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

DIGITS = frozenset("0123456789")
CLASSES: Mapping[str, frozenset[str]] = MappingProxyType(
    {"X": DIGITS, "Z": DIGITS - {"0"}, "N": DIGITS - {"0", "1"}}
)
SEPARATORS = "- "
TAILS = ".!"


class PatternRefused(ValueError):
    """The pattern cannot be used; the text says why, for an operator."""


@dataclass(frozen=True, slots=True)
class DialplanPattern:
    """A compiled pattern: `places`, the characters allowed at each, then `tail`.

    `tail` is "." or "!" or, where nothing may follow, "". A text that is no pattern has only
    `exact`, and the empty one matches everything.
    """

    text: str
    exact: str | None = None
    places: tuple[frozenset[str], ...] = ()
    tail: str = ""

    def matches(self, value: str) -> bool:
        """Tell whether an extension or a number matches."""
        bare = without_hyphens(value)
        if self.exact is not None:
            return self.exact in ("", bare)
        fits = all(character in place for character, place in zip(bare, self.places, strict=False))
        return fits and self.takes_length(len(bare))

    def takes_length(self, length: int) -> bool:
        """Tell whether so many characters, hyphens aside, are neither too few nor too many."""
        more = length - len(self.places)
        if self.tail == "!":
            return more >= 0
        return more >= 1 if self.tail else more == 0


def without_hyphens(value: str) -> str:
    """Return what is looked at."""
    return value.replace("-", "")


def compile_pattern(text: str) -> DialplanPattern:
    """Compile a text, exact or pattern. Raises PatternRefused."""
    if not text.startswith("_"):
        return DialplanPattern(text, exact=_exact(text))
    body = text[1:]
    tail = body[-1] if body.endswith(tuple(TAILS)) else ""
    places = tuple(_places(body.removesuffix(tail)))
    if not places and not tail:
        raise PatternRefused("there is nothing behind the _")
    return DialplanPattern(text, places=places, tail=tail)


def _exact(text: str) -> str:
    bare = without_hyphens(text)
    if text and not bare:
        raise PatternRefused("there is nothing but hyphens")
    return bare


def _places(body: str) -> Iterator[frozenset[str]]:
    position = 0
    while position < len(body):
        character = body[position]
        if character == "[":
            end = body.find("]", position)
            if end < 0:
                raise PatternRefused("a [ is not closed")
            yield _set(body[position + 1 : end])
            position = end
        elif character not in SEPARATORS:
            yield _place(character)
        position += 1


def _place(character: str) -> frozenset[str]:
    if character in TAILS:
        raise PatternRefused(f"nothing behind a {character} is ever looked at")
    if character == "/":
        raise PatternRefused("a / cannot be matched; the caller's number is matched by itself")
    return CLASSES.get(character.upper(), frozenset(character))


def _set(inside: str) -> frozenset[str]:
    """Return the characters of `[...]`; a range counts from its first to its last."""
    characters: set[str] = set()
    position = 0
    while position < len(inside):
        low = high = inside[position]
        if inside[position + 1 : position + 2] == "-" and position + 2 < len(inside):
            high = inside[position + 2]
            position += 2
        if low > high or ord(high) - ord(low) > 255:
            raise PatternRefused(f"the range {low}-{high} holds nothing that can be dialled")
        characters.update(map(chr, range(ord(low), ord(high) + 1)))
        position += 1
    if not characters:
        raise PatternRefused("a [] lists no characters")
    return frozenset(characters)
