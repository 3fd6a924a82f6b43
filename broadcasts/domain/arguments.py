"""The arguments of a broadcast, read as native `StasisBroadcast` reads them.

`StasisBroadcast([timeout[,app_filter[,args[,notify_claimed]]]])`; behind plain `Stasis()` the same
four arrive as `StasisStart.args`, already split by Asterisk. Source of the rules: Asterisk,
`apps/app_stasis_broadcast.c`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

MAX_TIMEOUT_MS = 60_000
MAX_ARGS = 128

_NAMED = 4
_TRUE = frozenset({"yes", "true", "y", "t", "1", "on"})
_C_INTEGER = re.compile(r"[ \t\n\v\f\r]*([+-]?[0-9]+)")
_LONG_MIN, _LONG_MAX = -(2**63), 2**63 - 1


@dataclass(frozen=True, slots=True)
class Defaults:
    """What an argument means that the dialplan leaves empty.

    timeout_ms: how long the broadcast waits for a claim, in milliseconds.
    notify_claimed: whether the candidates are told when the call is claimed.
    args: what the winner's StasisStart carries.
    """

    timeout_ms: int = 500
    notify_claimed: bool = False
    args: tuple[str, ...] = ()


NATIVE_DEFAULTS = Defaults()


@dataclass(frozen=True, slots=True)
class Arguments:
    """One broadcast's arguments.

    timeout_ms: 0 to 60000 milliseconds.
    app_filter: POSIX extended regular expression, not yet judged; "" means every application.
    args: at most 128 texts for the winner's `StasisStart.args`; some may be empty.
    notify_claimed: whether the candidates get `CallClaimed`.
    warnings: what was wrong with the arguments, one sentence each, for people.
    given: the names of those that are not defaults.
    """

    timeout_ms: int
    app_filter: str
    args: tuple[str, ...]
    notify_claimed: bool
    warnings: tuple[str, ...]
    given: frozenset[str] = field(default=frozenset(), compare=False)


def parse_arguments(raw: Sequence[str], defaults: Defaults = NATIVE_DEFAULTS) -> Arguments:
    """Read `StasisStart.args`; never fails: what cannot be used is replaced and warned of."""
    timeout, app_filter, args, notify_claimed = _named(raw)
    timeout_ms, timeout_warnings = _timeout_ms(timeout, defaults.timeout_ms)
    kept_args, args_warnings = split_args(args)
    given = {
        "timeout_ms": timeout and not timeout_warnings,
        "app_filter": app_filter,
        "args": args,
        "notify_claimed": notify_claimed,
    }
    return Arguments(
        timeout_ms=timeout_ms,
        app_filter=app_filter,
        args=kept_args or defaults.args,
        notify_claimed=_is_true(notify_claimed) if notify_claimed else defaults.notify_claimed,
        warnings=timeout_warnings + args_warnings,
        given=frozenset(name for name, is_given in given.items() if is_given),
    )


def filter_given(raw: Sequence[str]) -> str:
    """Return the filter of `StasisStart.args` as it stands there, "" for none."""
    return _named(raw)[1]


def split_args(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the arguments of a text such as `sales:priority-high`, and what to warn about."""
    if not text:
        return (), ()
    parts = text.split(":")
    kept = tuple(parts[:MAX_ARGS])
    if len(parts) == len(kept):
        return kept, ()
    return kept, (f"{len(parts)} arguments were given; only the first {MAX_ARGS} are passed on",)


def movable_args(args: Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Return the `appArgs` value of `POST /channels/{id}/move` and warnings of what it loses.

    Asterisk cuts `appArgs` at every comma, knows no quoting and drops empty parts, so an empty
    argument is lost and one with a comma reaches the application in pieces.
    """
    warnings = []
    for position, arg in enumerate(args, start=1):
        if not arg:
            warnings.append(f"argument {position} is empty and is not passed on")
        elif "," in arg:
            warnings.append(f"argument {position}, {arg!r}, is cut at its commas")
    return ",".join(filter(None, args)), tuple(warnings)


def _named(raw: Sequence[str]) -> list[str]:
    """Return the four named arguments; as in Asterisk the last takes the rest, commas and all."""
    named = [*raw[: _NAMED - 1], ",".join(raw[_NAMED - 1 :])]
    return named + [""] * (_NAMED - len(named))


def _timeout_ms(text: str, default: int) -> tuple[int, tuple[str, ...]]:
    if not text:
        return default, ()
    value = _scan_int(text)
    if value is not None and 0 <= value <= MAX_TIMEOUT_MS:
        return value, ()
    warning = (
        f"timeout {text!r} is not a number of milliseconds from 0 to {MAX_TIMEOUT_MS}; "
        f"{default} is used"
    )
    return default, (warning,)


def _scan_int(text: str) -> int | None:
    """Return what `sscanf(text, "%d")` stores on a 64-bit Linux, None where it finds no number.

    glibc reads a long, which stops at its limits, and stores its lower 32 bits: 4294967796 is 500.
    """
    found = _C_INTEGER.match(text)
    if not found:
        return None
    as_long = min(max(_bounded_int(found[1]), _LONG_MIN), _LONG_MAX)
    return (as_long + 2**31) % 2**32 - 2**31


def _bounded_int(digits: str) -> int:
    """Return `int(digits)`, or what lies outside a long where Python refuses so many digits."""
    significant = digits.lstrip("+-0")[:20]
    value = int(significant or "0")
    return -value if digits.startswith("-") else value


def _is_true(text: str) -> bool:
    """Tell whether Asterisk's `ast_true` takes the text for a yes."""
    return text.lower() in _TRUE
