"""Bracket expressions, `[...]`, as glibc's regcomp() reads them in the C.UTF-8 locale.

A backslash is an ordinary character inside. Ranges run between ASCII characters only, and the
locale knows no collating element nor equivalence class but the single ASCII characters: what goes
beyond does not compile on glibc and is refused here.
"""

from dataclasses import dataclass

from broadcasts.domain.character_set import (
    CharacterSet,
    CodePoints,
    characters,
    named_classes,
    span,
)
from broadcasts.domain.filter_guard import FilterRefused

_NOT_CLOSED = "a '[' is not closed"
_BAD_RANGE = "a range in [...] has no valid start and end"


def parse(pattern: str, position: int) -> tuple[CharacterSet, int]:
    """Return the set that a bracket expression stands for, and where the text after it begins.

    position: of the first character after the opening '['.
    """
    return _Bracket(pattern, position).parse()


@dataclass(frozen=True, slots=True)
class _Element:
    """One thing listed in brackets; only an endpoint may start or end a range."""

    code_points: CodePoints
    endpoint: bool


class _Bracket:
    def __init__(self, pattern: str, position: int) -> None:
        self.pattern = pattern
        self.position = position

    def parse(self) -> tuple[CharacterSet, int]:
        negated = self._skip("^")
        items = [self._item(first=True)]
        while not self._skip("]"):
            items.append(self._item(first=False))
        return characters(*items, negated=negated), self.position

    def _item(self, *, first: bool) -> CodePoints:
        start = self._element(hyphen_allowed=first)
        if not start.endpoint or not self._at("-") or self._at("-]"):
            return start.code_points
        self.position += 1
        return _range(start, self._element(hyphen_allowed=True))

    def _element(self, *, hyphen_allowed: bool) -> _Element:
        if self.position >= len(self.pattern):
            raise FilterRefused(_NOT_CLOSED)
        for delimiter, named in (":", _class), (".", _collating), ("=", _equivalent):
            if self._skip("[" + delimiter):
                return named(self._name(delimiter))
        if self._at("-") and not self._at("-]") and not hyphen_allowed:
            raise FilterRefused(_BAD_RANGE)
        character = ord(self.pattern[self.position])
        self.position += 1
        return _Element(span(character, character), endpoint=True)

    def _name(self, delimiter: str) -> str:
        # The name's first character may itself be the delimiter, as in [[...]].
        end = self.pattern.find(delimiter + "]", self.position)
        if end < 0:
            raise FilterRefused(_NOT_CLOSED)
        name = self.pattern[self.position : end]
        self.position = end + 2
        return name

    def _at(self, text: str) -> bool:
        return self.pattern.startswith(text, self.position)

    def _skip(self, text: str) -> bool:
        found = self._at(text)
        self.position += len(text) * found
        return found


def _range(start: _Element, end: _Element) -> CodePoints:
    if not end.endpoint:
        raise FilterRefused(_BAD_RANGE)
    first, last = start.code_points.flips[0], end.code_points.flips[0]
    if max(first, last) > 0x7F:
        raise FilterRefused("a range in [...] can only run between ASCII characters")
    if first > last:
        raise FilterRefused(f"the range {chr(first)}-{chr(last)} in [...] is the wrong way round")
    return span(first, last)


def _class(name: str) -> _Element:
    try:
        return _Element(named_classes()[name], endpoint=False)
    except KeyError:
        raise FilterRefused(f"there is no character class [:{name}:]") from None


def _collating(name: str) -> _Element:
    return _Element(_single(name, f"[.{name}.]"), endpoint=True)


def _equivalent(name: str) -> _Element:
    return _Element(_single(name, f"[={name}=]"), endpoint=False)


def _single(name: str, shown: str) -> CodePoints:
    if len(name) != 1 or not name.isascii():
        raise FilterRefused(f"{shown} does not name a single ASCII character")
    return span(ord(name), ord(name))
