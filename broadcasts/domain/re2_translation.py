"""Translation of a parsed extended regular expression into RE2's syntax.

RE2 matches in time linear in the name, and linear in the size of its program, which repetitions
can make as large as they like. So the program is bounded before RE2 sees it, and so is the product
of its size and the name's length: a filter with large repetitions reads shorter names only.
"""

from dataclasses import dataclass

from broadcasts.domain.ere_tree import (
    MAX_NAME_LENGTH,
    Assertion,
    Character,
    Choice,
    Node,
    Repeat,
    Sequence,
)
from broadcasts.domain.filter_guard import FilterRefused
from broadcasts.domain.re2_alphabet import EDGES, PLACE_BYTES, Alphabet

# In steps of RE2's program, and in steps times characters of the name. Measured: a filter and a
# name that are both made to hurt take tens of milliseconds and a few megabytes on one slow core.
MAX_SIZE = 20_000
MAX_WORK = 3_000_000

# RE2 takes no repetition above this, nested ones multiplied.
_RE2_MAX_ROUNDS = 1000

_NOTHING = rb"[^\x00-\xff]"  # matches no byte
_ENDS = {Assertion.NAME_START: rb"\A", Assertion.NAME_END: rb"\z"}


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of RE2 syntax that stands for itself wherever it is put.

    size: steps of RE2's program, about. rounds: the largest product of its nested repetitions.
    """

    text: bytes
    size: int
    rounds: int = 1


@dataclass(frozen=True, slots=True)
class Translated:
    """What RE2 has to match the whole of an encoded name with.

    longest_name: the most characters that a name may have for the match to end in bounded time.
    """

    text: bytes
    longest_name: int


def translate(tree: Node, alphabet: Alphabet) -> Translated:
    """Translate a tree into RE2's syntax, over the alphabet; raises FilterRefused."""
    anything = rb"(?s:...)*" if alphabet.marks_edges else rb"(?s:.)*"
    part = _Translation(alphabet).part(tree)
    longest_name = min(MAX_WORK // part.size, MAX_NAME_LENGTH)
    return Translated(anything + part.text + anything, longest_name)


class _Translation:
    def __init__(self, alphabet: Alphabet) -> None:
        self.alphabet = alphabet

    def part(self, node: Node) -> _Part:
        match node:
            case Assertion():
                return _Part(_ENDS.get(node) or EDGES[node], 1)
            case Character(among):
                return self._character(self.alphabet.members[among])
            case Sequence(parts):
                return _joined([self.part(part) for part in parts], b"")
            case Choice(()):
                return _Part(_NOTHING, 1)
            case Choice(options):
                return _joined([self.part(option) for option in options], b"|")
            case Repeat(part, low, high):
                return _repeated(self.part(part), low, high)

    def _character(self, letters: bytes) -> _Part:
        ranges = _ranges(letters)
        listed = b"".join(rb"\x%02x-\x%02x" % limits for limits in ranges)
        text = b"[%b]" % listed if listed else _NOTHING
        if self.alphabet.marks_edges:
            return _Part(b"(?:%b%b%b)" % (PLACE_BYTES, text, PLACE_BYTES), len(ranges) + 6)
        return _Part(text, max(len(ranges), 1))


def _ranges(letters: bytes) -> list[tuple[int, int]]:
    """Return the first and last of each unbroken run of letters."""
    ranges: list[tuple[int, int]] = []
    for letter in sorted(letters):
        if ranges and ranges[-1][1] == letter - 1:
            ranges[-1] = (ranges[-1][0], letter)
        else:
            ranges.append((letter, letter))
    return ranges


def _joined(parts: list[_Part], separator: bytes) -> _Part:
    size = _checked(sum(part.size for part in parts) + max(len(separator) * len(parts), 1))
    text = b"(?:%b)" % separator.join(part.text for part in parts)
    return _Part(text, size, max((part.rounds for part in parts), default=1))


def _repeated(part: _Part, low: int, high: int | None) -> _Part:
    """Repeat a part; beyond what RE2 will count, the text itself is repeated."""
    copies = max(low, 1) if high is None else high
    size = _checked(copies * part.size + (copies - low if high else 1))
    upper = b"" if high is None else b"%d" % high
    if copies * part.rounds <= _RE2_MAX_ROUNDS:
        return _Part(b"(?:%b{%d,%b})" % (part.text, low, upper), size, copies * part.rounds)
    at_once = max(_RE2_MAX_ROUNDS // part.rounds, 1)
    rest = part.text + b"*" if high is None else _spelt(part, b"0,%d", high - low, at_once)
    text = b"(?:%b%b)" % (_spelt(part, b"%d", low, at_once), rest)
    return _Part(text, size, at_once * part.rounds)


def _spelt(part: _Part, bounds: bytes, count: int, at_once: int) -> bytes:
    """Return `count` repetitions as a run of smaller ones, of `at_once` each and what remains."""
    whole, rest = divmod(count, at_once)
    return b"".join(
        b"(?:%b{%b})" % (part.text, bounds % rounds) for rounds in [at_once] * whole + [rest]
    )


def _checked(size: int) -> int:
    if size > MAX_SIZE:
        raise FilterRefused("the filter's repetitions make it too large to match in bounded time")
    return size
