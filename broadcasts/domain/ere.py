"""A parser of POSIX extended regular expressions as glibc compiles them.

It reads characters, not bytes, as glibc does in the C.UTF-8 locale, with glibc's extensions:
`{,n}`, `\\w \\W \\s \\S \\b \\B \\< \\> \\` \\'`, and a backslash before any other character, which
stands for that character. What glibc's regcomp() refuses is refused here. Back-references, which
it takes, are refused too: no engine that is safe with any filter can follow them.
"""

import re

from broadcasts.domain import ere_bracket
from broadcasts.domain.character_set import CharacterSet, characters, named_classes, span
from broadcasts.domain.ere_repetition import repeat_by_copies
from broadcasts.domain.ere_tree import (
    Assertion,
    Character,
    Node,
    choice,
    measure,
    sequence,
)
from broadcasts.domain.filter_guard import FilterRefused

MAX_REPETITIONS = 32_767  # RE_DUP_MAX of glibc

# Nested repetitions of assertions grow the tree with every level: a bound on that work.
MAX_COPIED_LEAVES = 500

_WORD_ITEMS = (named_classes()["alnum"], span(ord("_"), ord("_")))
_SPACE = named_classes()["space"]

ANY = characters(negated=True)
WORD = characters(*_WORD_ITEMS)

_ESCAPED_SETS = {
    "w": WORD,
    "W": characters(*_WORD_ITEMS, negated=True),
    "s": characters(_SPACE),
    "S": characters(_SPACE, negated=True),
}
_ASSERTIONS = {
    "^": Assertion.NAME_START,
    "\\`": Assertion.NAME_START,
    "$": Assertion.NAME_END,
    "\\'": Assertion.NAME_END,
    "\\<": Assertion.WORD_START,
    "\\>": Assertion.WORD_END,
    "\\b": Assertion.WORD_EDGE,
    "\\B": Assertion.NOT_WORD_EDGE,
}
_REPETITIONS = {"*": (0, None), "+": (1, None), "?": (0, 1)}

# glibc reads the inside of {} with the tokens of the outside, so \, is a comma and \0 a digit.
_INTERVAL = re.compile(r"\{(?P<low>(?:\\?0|[1-9])*)(?P<comma>\\?,(?P<high>(?:\\?0|[1-9])*))?\}")


def parse(pattern: str) -> Node:
    """Return what the pattern says; raise FilterRefused for what is no regular expression."""
    return _Parser(pattern).parse()


class _Group:
    """A group whose closing parenthesis has not come yet, or the whole pattern."""

    def __init__(self) -> None:
        self.branches: list[list[Node]] = [[]]
        self.repeatable = False  # whether a repetition may follow the last node

    def add(self, node: Node, *, repeatable: bool = True) -> None:
        self.branches[-1].append(node)
        self.repeatable = repeatable

    def start_branch(self) -> None:
        self.branches.append([])
        self.repeatable = False

    def repeat_last(self, low: int, high: int | None) -> Node:
        branch = self.branches[-1]
        branch[-1] = repeat_by_copies(branch[-1], low, high)
        return branch[-1]

    def node(self) -> Node:
        return choice([sequence(branch) for branch in self.branches])


class _Parser:
    """One pass over a pattern; open groups lie on a stack, so nesting costs no recursion."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.position = 0
        self.groups = [_Group()]
        self.copied_leaves = 0

    def parse(self) -> Node:
        while self.position < len(self.pattern):
            self._next()
        if len(self.groups) > 1:
            raise FilterRefused("a '(' is not closed")
        return self.groups[0].node()

    def _next(self) -> None:
        token = self._take_token()
        group = self.groups[-1]
        if token in _ASSERTIONS:
            group.add(_ASSERTIONS[token], repeatable=False)
        elif token in _REPETITIONS or token == "{":
            self._repeat(token)
        elif token == "(":
            self.groups.append(_Group())
        elif token == ")" and len(self.groups) > 1:
            self.groups.pop()
            self.groups[-1].add(group.node())
        elif token == "|":
            group.start_branch()
        else:
            group.add(self._character(token))

    def _take_token(self) -> str:
        """Return the next character, with the one after it when it is a backslash."""
        start = self.position
        self.position += 2 if self.pattern[start] == "\\" else 1
        return self.pattern[start : self.position]

    def _character(self, token: str) -> Character:
        if token == ".":
            return Character(ANY)
        if token == "[":
            among, self.position = ere_bracket.parse(self.pattern, self.position)
            return Character(among)
        if token.startswith("\\"):
            return Character(_escaped(token[1:]))
        return Character(_literal(token))

    def _repeat(self, token: str) -> None:
        if not self.groups[-1].repeatable:
            raise FilterRefused(f"there is nothing that '{token}' could repeat")
        bounds = self._interval() if token == "{" else _REPETITIONS[token]
        repeated = measure(self.groups[-1].repeat_last(*bounds))
        self.copied_leaves += repeated.leaves if repeated.asserts else 0
        if self.copied_leaves > MAX_COPIED_LEAVES:
            raise FilterRefused("assertions such as ^ stand in too many nested repetitions")

    def _interval(self) -> tuple[int, int | None]:
        found = _INTERVAL.match(self.pattern, self.position - 1)
        if not found or not (found["low"] or found["comma"]):
            raise FilterRefused("a '{' does not start a repetition such as {2}, {2,} or {2,5}")
        self.position = found.end()
        low = _number(found["low"]) or 0
        high = _number(found["high"]) if found["comma"] else low
        if high is not None and low > high:
            raise FilterRefused(f"the repetition {found[0]} ends before it begins")
        if max(low, high or 0) > MAX_REPETITIONS:
            raise FilterRefused(f"the repetition {found[0]} goes above {MAX_REPETITIONS}")
        return low, high


def _number(digits: str) -> int | None:
    return int(digits.replace("\\", "")) if digits else None


def _escaped(character: str) -> CharacterSet:
    if not character:
        raise FilterRefused("the filter ends with a lone backslash")
    if character in "123456789":
        raise FilterRefused(f"back-references such as \\{character} are not supported")
    return _ESCAPED_SETS.get(character) or _literal(character)


def _literal(character: str) -> CharacterSet:
    return characters(span(ord(character), ord(character)))
