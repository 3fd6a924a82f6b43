"""Values as a file holds them; what a spreadsheet would run as a formula made harmless.

A text is dangerous that begins, apart from apostrophes and what is not seen, with a sign that
begins a formula in any alphabet, or with a tab or a line's end, which some programs drop before
they look. It gets one apostrophe in front, which whoever reads the file back takes off again:
`plain`. Numbers stay, and so does a `+` with nothing but digits and single blanks behind it.
"""

import json
import re
import unicodedata
from collections.abc import Callable
from datetime import datetime, tzinfo
from functools import cache
from typing import Any

import orjson

APOSTROPHE = "'"
SIGNS = frozenset("=+-@\N{MINUS SIGN}\t\r\n")
UNSEEN = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})
NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?|\+[0-9]+(?: [0-9]+)*")

Convert = Callable[[Any], Any]


def harmless(text: str) -> str:
    """Return a text that a spreadsheet takes for a text or a number."""
    if begins_plainly(text[:1]) or not is_formula(text):
        return text
    return APOSTROPHE + text


@cache
def begins_plainly(sign: str) -> bool:
    """Whether no text that begins with a sign, or has none, needs a further look."""
    if not sign:
        return True
    return sign != APOSTROPHE and not is_formula(sign) and unicodedata.category(sign) not in UNSEEN


def plain(text: str) -> str:
    """Return what `harmless` was given."""
    return text[1:] if text[:1] == APOSTROPHE and is_formula(text) else text


def is_formula(text: str) -> bool:
    """Whether a spreadsheet might run a text, looked at without apostrophes in front."""
    bare = text.lstrip(APOSTROPHE)
    if NUMBER.fullmatch(bare):
        return False
    if bare[:1] in SIGNS:
        return True
    first = next((sign for sign in bare if unicodedata.category(sign) not in UNSEEN), "")
    # Signs of full width and the like are normalised to the ones that are meant.
    return unicodedata.normalize("NFKC", first)[:1] in SIGNS if first else False


def as_json(value: Any) -> str:
    """Return a list or the like as JSON on one line."""
    try:
        return orjson.dumps(value).decode()
    except orjson.JSONEncodeError:
        return json.dumps(value)


class Conversions(dict[type, Convert]):
    """How to write a value of each type; what is not listed is written as its text."""

    def __init__(self, zone: tzinfo, text: Convert) -> None:
        super().__init__({str: text, datetime: in_zone(zone)})
        for structure in (list, dict, tuple):
            self[structure] = lambda value: text(as_json(value))
        self._text = text

    def __missing__(self, kind: type) -> Convert:
        self[kind] = lambda value: self._text(str(value))
        return self[kind]


def in_zone(zone: tzinfo) -> Callable[[datetime], str]:
    """Return what writes times: ISO 8601 with the zone's offset, to the microsecond."""
    return lambda moment: moment.astimezone(zone).isoformat(timespec="microseconds")
