"""Callers' numbers and names where they are not to be told: masked on a page, or replaced for good.

A record's private texts are the caller's number and name, those of the party that Asterisk had
connected, and both of the caller's wherever else they stand, as in a channel's name or an argument.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any

Replace = Callable[[str], str]
# Given the caller's number and what replaces it, what does so in other texts; None: nothing does.
Find = Callable[[str, str], Replace | None]

DOTS = "•••"
DIGITS_SHOWN = 4
# Shorter numbers are extensions, which stand in other texts by chance.
LEAST_DIGITS_IN_TEXT = 5
# Shorter ones are not looked for in other spellings, which would find too much.
LEAST_DIGITS_SPELLED = 7
# Of these last digits, every spelling of a number has the same: +1 555 123 0100, 5551230100.
DIGITS_COMPARED = 9
# Shorter names stand in other texts by chance.
LEAST_LETTERS_IN_TEXT = 3
# Where a dialplan or an Asterisk may have put a name. What applications, servers and presets are
# called, and words of ours, a caller may share by chance.
MAY_NAME = {
    *("channel_name", "channel", "arguments_given", "app_args", "app_filter", "rounds"),
    *("warnings", "reason", "failure"),
}
PSEUDONYM_MARK = "~"
PSEUDONYM_HEX = 16

# The parties of a channel, as Asterisk's model `CallerID` describes them.
PARTIES = ("caller", "connected")


def mask_number(number: str) -> str:
    """Return the last digits of a number, at most four and at most half; pseudonyms stay."""
    if not number or number.startswith(PSEUDONYM_MARK):
        return number
    shown = min(DIGITS_SHOWN, len(number) // 2)
    return DOTS + number[len(number) - shown :]


def mask_name(name: str) -> str:
    """Return the first letter of a name; pseudonyms stay."""
    return name if not name or name.startswith(PSEUDONYM_MARK) else name[0] + DOTS


def pseudonym(text: str, key: bytes) -> str:
    """Return what stands for a number or a name for good: the same for the same text and key."""
    if not text:
        return text
    digest = hmac.new(key, text.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()
    return PSEUDONYM_MARK + digest[:PSEUDONYM_HEX]


def masked(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record's columns as those see them who may not see numbers."""
    told = cloak(record, mask_number, mask_name, in_any_spelling)
    if isinstance(told.get("channel"), dict):
        told["channel"] = _without_others(told["channel"], record["channel"])
    name, telling = record.get("caller_name"), told.keys() & MAY_NAME
    if name and telling and (swap := wherever_named(name)):
        told |= {key: _in_texts(told[key], swap) for key in telling}
    return told


def _without_others(told: dict[str, Any], channel: Mapping[str, Any]) -> dict[str, Any]:
    """Return a channel none of whose texts tells its parties, or whoever redirected the call."""
    parties = [channel[one] for one in PARTIES if isinstance(channel.get(one), dict)]
    numbers = [channel.get("caller_rdnis"), *(party.get("number") for party in parties)]
    names = [party.get("name") for party in parties]
    swaps = [in_any_spelling(one, mask_number(one)) for one in numbers if isinstance(one, str)]
    swaps += [wherever_named(one) for one in names if isinstance(one, str)]
    # Most often they stand nowhere else, which one look at all texts together tells.
    together = "\0".join(_texts_in(told))
    for swap in filter(None, swaps):
        if swap(together) != together:
            told = _in_texts(told, swap)
    if isinstance(channel.get("caller_rdnis"), str):
        told["caller_rdnis"] = mask_number(channel["caller_rdnis"])
    return told


def _texts_in(value: Any) -> Iterator[str]:
    """Yield every text of a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts_in(item)


@lru_cache(maxsize=1024)
def wherever_named(name: str) -> Replace | None:
    """Replace a name where it stands in other texts, in any case, its words parted by anything.

    What has no letter is a number, which some Asterisks have for a name.
    """
    if name.startswith(PSEUDONYM_MARK):
        return None
    words = tuple(re.findall(r"[^\W_]+", name))
    letters = sum(map(str.isalpha, name))
    if not letters:
        return in_any_spelling(name, mask_number(name))
    if letters < LEAST_LETTERS_IN_TEXT:
        return None

    def swap(text: str) -> str:
        if words[0].casefold() not in text.casefold():
            return text
        return _named(words).sub(lambda _: mask_name(name), text)

    return swap


@lru_cache(maxsize=1024)
def _named(words: tuple[str, ...]) -> re.Pattern[str]:
    together = r"[\W_]+".join(map(re.escape, words))
    return re.compile(rf"(?<![^\W_]){together}(?![^\W_])", re.IGNORECASE)


def as_it_is(caller: str, replacement: str) -> Replace | None:
    """Replace the caller's number where it stands as Asterisk told it."""
    if len(caller) < LEAST_DIGITS_IN_TEXT:
        return None
    return lambda text: text.replace(caller, replacement)


def in_any_spelling(caller: str, replacement: str) -> Replace | None:
    """Replace it also where it stands without its country or with separators."""
    literal = as_it_is(caller, replacement)
    bare = caller.removeprefix("+")
    digits = bare if bare.isdecimal() and bare.isascii() else re.sub("[^0-9]", "", caller)
    if literal is None or len(digits) < LEAST_DIGITS_SPELLED:
        return literal
    compared = digits[-DIGITS_COMPARED:]
    # No spelling parts the last two. For records by the million: few texts have even these.
    last = digits[-2:]

    def swap(text: str) -> str:
        text = literal(text)
        if last not in text or compared not in text.translate(_SEPARATORS):
            return text
        return _spellings(compared).sub(lambda _: replacement, text)

    return swap


_SEPARATORS = str.maketrans("", "", " -./()")


@lru_cache(maxsize=1024)
def _spellings(digits: str) -> re.Pattern[str]:
    between = "[ \\-./()]*"
    return re.compile(rf"\+?(?:[0-9]{between}){{0,6}}" + between.join(digits))


def cloak(
    record: Mapping[str, Any], number: Replace, name: Replace, find: Find = as_it_is
) -> dict[str, Any]:
    """Return a record's columns with each private text replaced.

    `record` maps names of a broadcast's columns to values, any of them; without `caller_number` the
    caller's number is not looked for in other texts. What replaces it for good is under the seals:
    it is found as it always was.
    """
    caller = record.get("caller_number") or ""
    replacement = number(caller)
    swap = find(caller, replacement)
    cloaked = dict(record)
    if swap:
        cloaked.update(_swapped(record, swap))
    if caller:
        cloaked["caller_number"] = replacement
    if record.get("caller_name"):
        cloaked["caller_name"] = name(record["caller_name"])
    if isinstance(record.get("channel"), dict):
        cloaked["channel"] = _cloak_channel(record["channel"], swap, number, name)
    return cloaked


def _swapped(record: Mapping[str, Any], swap: Replace) -> dict[str, Any]:
    """Return the columns besides the number itself in whose texts something is to be swapped.

    Most often there is none, which one look at all texts together tells: no spelling goes beyond
    the sign between them.
    """
    texts, nested = {}, {}
    for key, value in record.items():
        if isinstance(value, str):
            texts[key] = value
        elif value and isinstance(value, (list, dict)):
            nested[key] = _in_texts(value, swap)
    texts.pop("caller_number", None)
    together = "\0".join(texts.values())
    if swap(together) == together:
        return nested
    return nested | {key: swap(text) for key, text in texts.items()}


def _in_texts(value: Any, swap: Replace | None) -> Any:
    """Return a JSON value with every text in it, at any depth, swapped."""
    if swap is None:
        return value
    if isinstance(value, str):
        return swap(value)
    if isinstance(value, list):
        return [_in_texts(item, swap) for item in value]
    if isinstance(value, dict):
        return {key: _in_texts(item, swap) for key, item in value.items()}
    return value


def _cloak_channel(
    channel: dict[str, Any], swap: Replace | None, number: Replace, name: Replace
) -> dict[str, Any]:
    cloaked = {key: _in_texts(value, swap) for key, value in channel.items()}
    for party in PARTIES:
        described = channel.get(party)
        if isinstance(described, dict):
            cloaked[party] = {
                key: number(text) if key == "number" else name(text)
                for key, text in described.items()
                if isinstance(text, str)
            }
    return cloaked
