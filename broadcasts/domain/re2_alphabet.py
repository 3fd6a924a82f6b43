"""The alphabet of one filter: each kind of character that it tells apart becomes one byte.

RE2 then runs on bytes: any Unicode set costs it no more than an ASCII one, names are as long in
bytes as in characters, and what counts as a letter is glibc's opinion, not RE2's.

A filter that asks for the edges of words needs more, since RE2 can look only at ASCII bytes on
either side of a place. For it each place between two characters is written as two bytes, the
place itself being between them, chosen so that what RE2 can see there, `(?m:^)`, `(?m:$)` and
`\\b`, tells which edge it is.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache, reduce
from itertools import groupby
from operator import itemgetter, xor

from broadcasts.domain.character_set import EVERY_CHARACTER, CharacterSet, CodePoints
from broadcasts.domain.ere import WORD
from broadcasts.domain.ere_tree import Assertion, Character, Node, leaves_of

# Bytes that RE2 takes neither for word characters nor for line ends and that are not in _PLACES.
_LETTERS = bytes(
    byte
    for byte in (*range(0x80, 0x100), *range(0x80))
    if not (chr(byte).isascii() and chr(byte).isalnum()) and byte not in b"_\n "
)

# The two bytes at a place, by whether a word character stands before it and after it.
_PLACES = {
    (False, True): b"\nw",
    (True, False): b"w\n",
    (True, True): b"  ",
    (False, False): b"  ",
}
PLACE_BYTES = rb"[\n w]"
EDGES = {
    Assertion.WORD_START: rb"(?:(?m:^)\b)",
    Assertion.WORD_END: rb"(?:\b(?m:$))",
    Assertion.WORD_EDGE: rb"\b",
    Assertion.NOT_WORD_EDGE: rb"\B",
}


@dataclass(frozen=True, slots=True)
class Alphabet:
    """Which byte each character is written as.

    starts, letters: from starts[i] up to the next start, code points are written as letters[i].
    members: the letters of each set that the filter names.
    marks_edges: whether places are written too; WORD is then among the members.
    """

    starts: list[int]
    letters: bytes
    members: dict[CharacterSet, bytes]
    marks_edges: bool

    def encode(self, name: str) -> bytes:
        """Write a name in this alphabet."""
        letters = bytes(self.letters[bisect_right(self.starts, ord(c)) - 1] for c in name)
        return self._with_places(letters) if self.marks_edges else letters

    def _with_places(self, letters: bytes) -> bytes:
        """Write the places too; before the first and after the last RE2 sees an end itself."""
        written = bytearray()
        words = self.members[WORD]
        after_word = False
        for letter in letters:
            word = letter in words
            written += _PLACES[after_word, word]
            written.append(letter)
            after_word = word
        written += _PLACES[after_word, False]
        return bytes(written[1:-1])


def alphabet_of(tree: Node) -> Alphabet:
    """Return the alphabet that tells apart what the tree does."""
    leaves = set(leaves_of(tree))
    sets = {leaf.among for leaf in leaves if isinstance(leaf, Character)}
    marks_edges = not leaves.isdisjoint(EDGES)
    if marks_edges:
        sets.add(WORD)
    starts, in_sets = _cut(sets)
    kinds = _neighbours(set(in_sets))
    # There are letters enough: 256 bytes of filter name at most 113 plain ASCII characters and 71
    # others, and leave few kinds beside those.
    letter_of = dict(zip(kinds, _LETTERS, strict=False))
    return Alphabet(
        starts=starts,
        letters=bytes(letter_of[kind] for kind in in_sets),
        members={
            one: bytes(letter for kind, letter in letter_of.items() if one in kind) for one in sets
        },
        marks_edges=marks_edges,
    )


def _neighbours(kinds: Collection[frozenset[CharacterSet]]) -> list[frozenset[CharacterSet]]:
    """Order the kinds so that those of one set stand together: RE2 pays for every run of letters.

    The larger sets come first, having the most to lose from being scattered.
    """
    sizes = Counter(one for kind in kinds for one in kind)
    by_size = [one for one, size in sizes.most_common() if size > 1]
    return sorted(kinds, key=lambda kind: [one in kind for one in by_size])


def _cut(sets: Collection[CharacterSet]) -> tuple[list[int], list[frozenset[CharacterSet]]]:
    """Cut the code points where any set begins or ends.

    Returns where each piece starts, and for each piece the sets that it is in.
    """
    items = [EVERY_CHARACTER, *{item for one in sets for listed in one for item in listed.items}]
    starts, masks = _cut_items(items)
    bits = {item: 1 << index for index, item in enumerate(items)}
    lists = {
        one: [(sum(bits[item] for item in listed.items), listed.negated) for listed in one]
        for one in sets
    }

    @cache
    def containing(mask: int) -> frozenset[CharacterSet]:
        if not mask & bits[EVERY_CHARACTER]:
            return frozenset()
        return frozenset(
            one
            for one, listed in lists.items()
            if any(bool(mask & items_mask) != negated for items_mask, negated in listed)
        )

    return starts, [containing(mask) for mask in masks]


def _cut_items(items: list[CodePoints]) -> tuple[list[int], list[int]]:
    """Cut the code points where any item begins or ends.

    Returns where each piece starts, and for each piece a number whose bit i tells whether it is in
    items[i].
    """
    flips = sorted((flip, 1 << index) for index, item in enumerate(items) for flip in item.flips)
    starts, masks = [0], [0]
    for start, group in groupby(flips, key=itemgetter(0)):
        starts.append(start)
        masks.append(reduce(xor, (bit for _, bit in group), masks[-1]))
    return starts, masks
