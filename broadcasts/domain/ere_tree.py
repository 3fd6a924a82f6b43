"""What an extended regular expression says, as a tree.

The functions that build the tree keep it small without changing which names it admits. Two facts
let them: only whether a name matches counts, not where or by which group; and no name is longer
than MAX_NAME_LENGTH, so what needs more characters can never match and a repetition that reaches
further need not be counted.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Literal

from broadcasts.domain.character_set import CharacterSet

MAX_NAME_LENGTH = 1000


class Assertion(Enum):
    """A condition on a place between two characters."""

    NAME_START = auto()
    NAME_END = auto()
    WORD_START = auto()
    WORD_END = auto()
    WORD_EDGE = auto()
    NOT_WORD_EDGE = auto()


@dataclass(frozen=True, slots=True)
class Character:
    """One character of a set."""

    among: CharacterSet


@dataclass(frozen=True, slots=True)
class Sequence:
    """Parts one after the other. `shortest`: the least characters that it takes to match."""

    parts: "tuple[Node, ...]"
    shortest: int


@dataclass(frozen=True, slots=True)
class Choice:
    """Any one of the options."""

    options: "tuple[Node, ...]"
    shortest: int


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part at least `low` times and, unless it is None, at most `high` times."""

    part: "Node"
    low: int
    high: int | None
    shortest: int


Node = Assertion | Character | Sequence | Choice | Repeat

EMPTY = Sequence((), 0)
NEVER = Choice((), MAX_NAME_LENGTH + 1)


def shortest(node: Node) -> int:
    """Return the least number of characters that a match takes."""
    match node:
        case Assertion():
            return 0
        case Character():
            return 1
        case _:
            return node.shortest


def leaves_of(node: Node) -> Iterator[Assertion | Character]:
    """Yield the assertions and characters of a tree."""
    match node:
        case Sequence(inner) | Choice(inner):
            for part in inner:
                yield from leaves_of(part)
        case Repeat(part):
            yield from leaves_of(part)
        case leaf:
            yield leaf


def sequence(parts: list[Node]) -> Node:
    """Return the parts one after the other."""
    length = sum(map(shortest, parts))
    if length > MAX_NAME_LENGTH:
        return NEVER
    flat: list[Node] = []
    for part in parts:
        flat.extend(part.parts if isinstance(part, Sequence) else [part])
    return flat[0] if len(flat) == 1 else Sequence(tuple(flat), length)


def choice(options: list[Node]) -> Node:
    """Return any one of the options; the single characters among them become one set."""
    characters = CharacterSet()
    rest: list[Node] = []
    for option in options:
        for node in option.options if isinstance(option, Choice) else (option,):
            if isinstance(node, Character):
                characters |= node.among
            else:
                rest.append(node)
    if characters.flips:
        rest.append(Character(characters))
    if not rest:
        return NEVER
    return rest[0] if len(rest) == 1 else Choice(tuple(rest), min(map(shortest, rest)))


def repeat(part: Node, low: int, high: int | None) -> Node:
    """Return the part repeated; a repetition of a repetition becomes one where counts allow."""
    if high == 0 or part == EMPTY:
        return EMPTY
    if part is NEVER or isinstance(part, Assertion):
        return part if low else EMPTY
    if isinstance(part, Repeat) and _counts_join(part, low, high):
        joined_high = None if high is None or part.high is None else part.high * high
        return repeat(part.part, part.low * low, joined_high)
    if always_matches_empty(part):
        low = 0
    length = shortest(part)
    if low * length > MAX_NAME_LENGTH:
        return NEVER
    if high is not None and high * length >= MAX_NAME_LENGTH:
        high = None
    if low == high == 1:
        return part
    return Repeat(part, low, high, low * length)


def always_matches_empty(node: Node) -> bool:
    """Tell whether the node matches the empty text anywhere, whatever surrounds it."""
    match node:
        case Sequence():
            return all(map(always_matches_empty, node.parts))
        case Choice():
            return any(map(always_matches_empty, node.options))
        case Repeat():
            return node.low == 0 or always_matches_empty(node.part)
        case _:
            return False


def _counts_join(inner: Repeat, low: int, high: int | None) -> bool:
    """Tell whether (x{a,b}){low,high} is x{a*low,b*high}: whether the counts leave no gap.

    k rounds give every count from k*a to k*b; the next round's begin at (k+1)*a. The widest gap is
    the first, after `low` rounds.
    """
    if low == high:
        return True
    most = inner.high if low else 0
    return most is None or (low + 1) * inner.low <= low * most + 1


def without_optional_edges(node: Node) -> Node:
    """Return what has to be found somewhere in a name for the node to be found there.

    What may be empty at either end of a search may as well be left out.
    """
    return _trimmed(_trimmed(node, 0), -1)


def _trimmed(node: Node, edge: Literal[0, -1]) -> Node:
    """Return the node without what may be empty at one edge."""
    if always_matches_empty(node):
        return EMPTY
    match node:
        case Sequence(parts):
            kept = list(parts)
            while always_matches_empty(kept[edge]):
                kept.pop(edge)
            kept[edge] = _trimmed(kept[edge], edge)
            return sequence(kept)
        case Choice(options):
            return choice([_trimmed(option, edge) for option in options])
        case Repeat(part, low):
            ends, others = _trimmed(part, edge), repeat(part, low - 1, low - 1)
            return sequence([ends, others] if edge == 0 else [others, ends])
        case _:
            return node
