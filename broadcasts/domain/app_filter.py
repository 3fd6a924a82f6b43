"""The app filter: which applications a broadcast is offered to.

A filter is a POSIX extended regular expression, searched for anywhere in an application's name,
with the meaning that glibc gives it in the C.UTF-8 locale. It is parsed here and matched by RE2, so
that no filter, however hostile, holds up a call. docs/app-filter.md tells operators about it.

Refused, with a reason, is what native rejects or cannot compile, and besides:

- back-references (`\\1` to `\\9`);
- repetitions that make a filter too large to match in bounded time (`re2_translation.MAX_SIZE`);
- assertions such as `^` in too many nested repetitions (`ere.MAX_COPIED_LEAVES`);
- text that no C string can carry: NUL, and lone halves of surrogate pairs.

Collating elements of several characters and equivalence classes beyond ASCII are refused as well,
but those the C.UTF-8 locale does not compile either.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import re2

from broadcasts.domain import ere
from broadcasts.domain.ere_tree import without_optional_edges
from broadcasts.domain.filter_guard import FilterRefused, check_guard
from broadcasts.domain.re2_alphabet import Alphabet, alphabet_of
from broadcasts.domain.re2_translation import translate

__all__ = ["AppFilter", "FilterRefused", "compile_filter"]

_CACHED_FILTERS = 1024
_MAX_MEMORY = 4 << 20  # bytes that RE2 may use for one filter


def _options() -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1  # bytes: see re2_alphabet
    options.max_mem = _MAX_MEMORY
    options.log_errors = False
    options.never_capture = True
    return options


@dataclass(frozen=True, slots=True)
class AppFilter:
    """A compiled filter.

    longest_name: in characters; 1,000, or fewer (150 at least) for a filter whose repetitions make
    it slow to match.
    """

    pattern: str
    longest_name: int
    _alphabet: Alphabet
    _expression: Any

    def admits(self, name: str) -> bool:
        """Tell whether the filter lets an application of this name take part.

        Only the empty filter admits names of more than `longest_name` characters.
        """
        if not self.pattern:
            return True
        if len(name) > self.longest_name:
            return False
        return self._expression.fullmatch(self._alphabet.encode(name)) is not None


@lru_cache(maxsize=_CACHED_FILTERS)
def compile_filter(pattern: str) -> AppFilter:
    """Compile a filter; the empty one admits every name. Raises FilterRefused."""
    if "\0" in pattern or any("\ud800" <= character <= "\udfff" for character in pattern):
        raise FilterRefused("the filter is not text that a dialplan can carry")
    check_guard(pattern)
    tree = without_optional_edges(ere.parse(pattern))
    alphabet = alphabet_of(tree)
    translated = translate(tree, alphabet)
    try:
        expression = re2.compile(translated.text, _options())
    except re2.error as error:
        raise FilterRefused("the filter needs more memory than a filter may have") from error
    return AppFilter(pattern, translated.longest_name, alphabet, expression)
