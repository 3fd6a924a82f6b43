"""Rules: which preset a call gets, and an index that finds the first match of thousands.

A rule is a bit. Each property of a call (server, context, extension, caller) has the set of rules
that it satisfies, one integer; what all four have in common is a handful of ANDs, whatever the
patterns are, and the lowest bit of it is the first rule that matches.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

from .dialplan_pattern import DialplanPattern, without_hyphens


@dataclass(frozen=True, slots=True)
class Incoming:
    """What rules look at in a call; texts that are not known are empty."""

    server_id: int
    context: str = ""
    extension: str = ""
    caller: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """Sends the calls that it matches to a preset; None and "" match any server and context."""

    name: str
    preset: str
    server_id: int | None
    context: str
    extension: DialplanPattern
    caller: DialplanPattern

    def mismatches(self, call: Incoming) -> tuple[str, ...]:
        """Return which of its conditions a call does not meet; none: it matches."""
        conditions = {
            "server": self.server_id in (None, call.server_id),
            "context": self.context in ("", call.context),
            "extension": self.extension.matches(call.extension),
            "caller": self.caller.matches(call.caller),
        }
        return tuple(name for name, met in conditions.items() if not met)


class RuleIndex:
    """Finds the first rule, in their order, that matches a call."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self._servers = ValueIndex((rule.server_id for rule in rules), anything=None)
        self._contexts = ValueIndex((rule.context for rule in rules), anything="")
        self._extensions = PatternIndex([rule.extension for rule in rules])
        self._callers = PatternIndex([rule.caller for rule in rules])

    def first(self, call: Incoming) -> Rule | None:
        """Return the first rule that matches, or None."""
        bits = self._servers.satisfied_by(call.server_id)
        bits &= self._contexts.satisfied_by(call.context)
        bits &= self._extensions.satisfied_by(call.extension)
        bits &= self._callers.satisfied_by(call.caller)
        return self.rules[(bits & -bits).bit_length() - 1] if bits else None


class ValueIndex:
    """Which conditions a value satisfies: those that name it, and those that take `anything`."""

    def __init__(self, wanted: Iterable[Hashable], anything: Hashable) -> None:
        self._by_value: dict[Hashable, int] = {}
        for number, value in enumerate(wanted):
            self._by_value[value] = self._by_value.get(value, 0) | 1 << number
        self._open = self._by_value.pop(anything, 0)

    def satisfied_by(self, value: Hashable) -> int:
        return self._open | self._by_value.get(value, 0)


class PatternIndex:
    """Which dialplan patterns a text matches.

    Patterns say what each place may hold and how long a text may be, so there is a table from
    character to patterns for every place, and one from length to patterns.
    """

    def __init__(self, patterns: Sequence[DialplanPattern]) -> None:
        self._exact = ValueIndex((pattern.exact for pattern in patterns), anything="")
        numbered = [
            (1 << number, pattern)
            for number, pattern in enumerate(patterns)
            if pattern.exact is None
        ]
        depth = max((len(pattern.places) for _, pattern in numbered), default=0)
        # A text longer than every pattern is like one that is longer by a character.
        self._lengths = [
            sum(bit for bit, pattern in numbered if pattern.takes_length(length))
            for length in range(depth + 2)
        ]
        self._places = [_Place(numbered, position) for position in range(depth)]

    def satisfied_by(self, text: str) -> int:
        bare = without_hyphens(text)
        bits = self._lengths[min(len(bare), len(self._lengths) - 1)]
        # Behind the last place there are only tails, which take anything.
        for place, character in zip(self._places, bare, strict=False):
            if not bits:
                break
            bits &= place.by_character.get(character, place.past)
        return bits | self._exact.satisfied_by(bare)


class _Place:
    """The patterns that allow a character at one place; `past` are those that ended before it."""

    def __init__(self, numbered: Sequence[tuple[int, DialplanPattern]], position: int) -> None:
        self.past = sum(bit for bit, pattern in numbered if len(pattern.places) <= position)
        self.by_character: dict[str, int] = {}
        for bit, pattern in numbered:
            if position < len(pattern.places):
                for character in pattern.places[position]:
                    self.by_character[character] = self.by_character.get(character, self.past) | bit
