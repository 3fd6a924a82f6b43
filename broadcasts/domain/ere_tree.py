"""What an extended regular expression says, as a tree.

The functions that build the tree keep it small without changing which names it admits. Two facts
let them: only whether a name matches counts, not where or by which group; and no name is longer
than MAX_NAME_LENGTH, so what needs more characters can never match and a repetition that reaches
further need not be counted.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Literal, NamedTuple

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


class Measure(NamedTuple):
    """What is known of a tree without walking it.

    shortest: the least characters that a match takes. optional: whether it matches the empty text
    anywhere, whatever surrounds it. asserts: whether it holds an assertion. leaves: how many
    assertions and characters it is made of.
    """

    shortest: int
    optional: bool
    asserts: bool
    leaves: int


@dataclass(frozen=True, slots=True)
class Character:
    """One character of a set."""

    among: CharacterSet


@dataclass(frozen=True, slots=True)
class Sequence:
    """Parts one after the other."""

    parts: "tuple[Node, ...]"
    measure: Measure


@dataclass(frozen=True, slots=True)
class Choice:
    """Any one of the options."""

    options: "tuple[Node, ...]"
    measure: Measure


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part at least `low` times and, unless it is None, at most `high` times."""

    part: "Node"
    low: int
    high: int | None
    measure: Measure


Node = Assertion | Character | Sequence | Choice | Repeat

EMPTY = Sequence((), Measure(0, optional=True, asserts=False, leaves=0))
NEVER = Choice((), Measure(MAX_NAME_LENGTH + 1, optional=False, asserts=False, leaves=0))


def measure(node: Node) -> Measure:
    """Return the node's measure."""
    match node:
        case Assertion():
            return Measure(0, optional=False, asserts=True, leaves=1)
        case Character():
            return Measure(1, optional=False, asserts=False, leaves=1)
        case _:
            return node.measure


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


def sequence(nodes: Iterable[Node]) -> Node:
    """Return the nodes one after the other."""
    parts: list[Node] = []
    for node in nodes:
        parts.extend(node.parts if isinstance(node, Sequence) else [node])
    measures = [measure(part) for part in parts]
    length = sum(one.shortest for one in measures)
    if length > MAX_NAME_LENGTH:
        return NEVER
    if len(parts) == 1:
        return parts[0]
    return Sequence(tuple(parts), _total(measures, length, all(one.optional for one in measures)))


def choice(nodes: Iterable[Node]) -> Node:
    """Return any one of the nodes; the single characters among them become one set."""
    flat: list[Node] = []
    for node in nodes:
        flat.extend(node.options if isinstance(node, Choice) else [node])
    sets = [node.among for node in flat if isinstance(node, Character)]
    options: list[Node] = [node for node in flat if not isinstance(node, Character)]
    if sets:
        options.append(Character(frozenset().union(*sets)))
    if len(options) == 1:
        return options[0]
    if not options:
        return NEVER
    measures = [measure(option) for option in options]
    length = min(one.shortest for one in measures)
    return Choice(tuple(options), _total(measures, length, any(one.optional for one in measures)))


def _total(measures: list[Measure], shortest: int, optional: bool) -> Measure:
    return Measure(
        shortest=shortest,
        optional=optional,
        asserts=any(one.asserts for one in measures),
        leaves=sum(one.leaves for one in measures),
    )


def repeat(part: Node, low: int, high: int | None) -> Node:
    """Return the part repeated; a repetition of a repetition becomes one where counts allow."""
    if high == 0 or part == EMPTY:
        return EMPTY
    if part == NEVER or isinstance(part, Assertion):
        return part if low else EMPTY
    if isinstance(part, Repeat) and _counts_join(part, low, high):
        joined_high = None if high is None or part.high is None else part.high * high
        return repeat(part.part, part.low * low, joined_high)
    shortest, optional, asserts, leaves = measure(part)
    if optional:
        low = 0
    if low * shortest > MAX_NAME_LENGTH:
        return NEVER
    if high is not None and high * shortest >= MAX_NAME_LENGTH:
        high = None
    if low == high == 1:
        return part
    return Repeat(part, low, high, Measure(low * shortest, low == 0, asserts, leaves))


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
    if measure(node).optional:
        return EMPTY
    match node:
        case Sequence(parts):
            kept = list(parts)
            while measure(kept[edge]).optional:
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
