"""Repetition as glibc carries it out: it copies the repeated part, and copies forget assertions.

glibc compiles `x{2,3}` (and `x+`, as `xx*`) from copies of x. An assertion such as `^` is lost
wherever what follows it directly is a copy, so `(a$){2}` finds "aa", although no "a" but the last
stands at an end. A filter must admit the names that it admits on an Asterisk, so the loss is kept.
"""

from broadcasts.domain.ere_tree import (
    EMPTY,
    Assertion,
    Choice,
    Node,
    Repeat,
    Sequence,
    choice,
    measure,
    repeat,
    sequence,
)


def repeat_by_copies(part: Node, low: int, high: int | None) -> Node:
    """Return the part repeated `low` to `high` times (None: without end), as glibc does it."""
    is_copied = low > 0 if high is None else high > 1
    if not is_copied or not measure(part).asserts:
        return repeat(part, low, high)
    if low == 0 and high is not None:
        return _optional_copies(part, high)
    return sequence([_required_copies(part, low), _further_copies(part, low, high)])


def _required_copies(part: Node, count: int) -> Node:
    if count == 1:
        return part
    return sequence([_first(part), repeat(_middle(part), count - 2, count - 2), _last(part)])


def _further_copies(part: Node, low: int, high: int | None) -> Node:
    """Return the copies beyond the required ones."""
    if high is None:
        return repeat(_last(part), 0, None)
    if high == low:
        return EMPTY
    most = high - low - 1
    return repeat(sequence([repeat(_middle(part), 0, most), _last(part)]), 0, 1)


def _optional_copies(part: Node, high: int) -> Node:
    """Return up to `high` copies; glibc nests them so that fewer leave out the first ones."""
    first, middle, between = _first(part), _middle(part), high - 2
    every = repeat(middle, between, between)
    if measure(middle).optional:
        before_last = sequence([repeat(first, 0, 1), every])
    else:
        before_last = choice([repeat(middle, 0, between), sequence([first, every])])
    return repeat(sequence([before_last, _last(part)]), 0, 1)


def _first(part: Node) -> Node:
    """Return the original, which a copy follows."""
    return _keep_assertions(part, inside=True, trailing=False)


def _middle(part: Node) -> Node:
    """Return a copy that another follows."""
    return _keep_assertions(part, inside=False, trailing=False)


def _last(part: Node) -> Node:
    """Return a copy that something else follows."""
    return _keep_assertions(part, inside=False, trailing=True)


def _keep_assertions(node: Node, *, inside: bool, trailing: bool) -> Node:
    """Return the node without some assertions.

    trailing: keep those that what follows the node comes right after. inside: keep the others.
    """
    match node:
        case Assertion():
            return node if trailing else EMPTY
        case Sequence((*parts, last)):
            return sequence(
                [_keep_assertions(part, inside=inside, trailing=inside) for part in parts]
                + [_keep_assertions(last, inside=inside, trailing=trailing)]
            )
        case Choice(options):
            return choice(
                [_keep_assertions(one, inside=inside, trailing=trailing) for one in options]
            )
        case Repeat(part, low, high):
            kept_at_end = trailing if high == 1 else inside
            part = _keep_assertions(part, inside=inside, trailing=kept_at_end)
            return repeat(part, low, high)
        case _:
            return node
