"""The real thing to compare with: glibc's functions, in the C.UTF-8 locale.

`python -m tests.domain.glibc` measures the character classes anew and prints what
broadcasts/domain/character_classes.py holds.
"""

import ctypes
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from textwrap import wrap

import pytest

needs_glibc = pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="there is no glibc to compare with"
)

_LC_ALL_MASK = 0x1FBF
_REG_EXTENDED, _REG_NOSUB = 1, 8
_SIZE_OF_REGEX_T = 256  # more than enough


@cache
def _libc() -> ctypes.CDLL:
    libc = ctypes.CDLL(None)
    libc.newlocale.restype = ctypes.c_void_p
    libc.newlocale.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p]
    libc.uselocale.restype = ctypes.c_void_p
    libc.uselocale.argtypes = [ctypes.c_void_p]
    libc.wctype.restype = ctypes.c_ulong
    libc.iswctype.argtypes = [ctypes.c_uint, ctypes.c_ulong]
    return libc


@cache
def _c_utf8() -> int:
    locale = _libc().newlocale(_LC_ALL_MASK, b"C.UTF-8", None)
    assert locale, "this glibc has no C.UTF-8"
    return int(locale)


@contextmanager
def _asterisk_locale() -> Iterator[ctypes.CDLL]:
    """Lend libc in the locale that Asterisk sets, to this thread alone."""
    libc = _libc()
    before = libc.uselocale(_c_utf8())
    try:
        yield libc
    finally:
        libc.uselocale(before)


def matching(pattern: str, names: list[str]) -> list[str] | None:
    """Return the names in which regexec() finds the pattern, None when it does not compile."""
    compiled = ctypes.create_string_buffer(_SIZE_OF_REGEX_T)
    with _asterisk_locale() as libc:
        if libc.regcomp(compiled, pattern.encode(), _REG_EXTENDED | _REG_NOSUB):
            return None
        try:
            return [n for n in names if libc.regexec(compiled, n.encode(), 0, None, 0) == 0]
        finally:
            libc.regfree(compiled)


def scan_int(text: str) -> int | None:
    """Return what sscanf(text, "%d") stores, None when it finds no number."""
    number = ctypes.c_int()
    found = _libc().sscanf(text.encode(), b"%d", ctypes.byref(number))
    return number.value if found == 1 else None


def class_flips(name: str, end: int = 0x110000) -> list[int]:
    """Return the code points below `end` at which iswctype() flips, beginning from no."""
    with _asterisk_locale() as libc:
        wctype = libc.wctype(name.encode())
        inside = [False, *(bool(libc.iswctype(point, wctype)) for point in range(end))]
    return [point for point, (before, after) in enumerate(pairwise(inside)) if before != after]


def _print_table(name: str) -> None:
    distances = [after - before for before, after in pairwise([0, *class_flips(name)])]
    sys.stdout.write(f'{name.upper()} = """\n')
    sys.stdout.write("\n".join(wrap(" ".join(f"{distance:x}" for distance in distances), 98)))
    sys.stdout.write('\n"""\n\n')


if __name__ == "__main__":
    for class_name in ("alpha", "upper", "lower", "graph"):
        _print_table(class_name)
