"""How Asterisk reads application arguments, ``${variables}`` and ``$[expressions]``."""

from __future__ import annotations

import re
from collections.abc import Callable

Lookup = Callable[[str], str]


def split_arguments(text: str, separator: str = ",", *, unquote: bool = True) -> list[str]:
    """Split as Asterisk's standard argument parser does.

    A separator inside parentheses, brackets or double quotes does not split; a backslash takes the
    next character as it is. Applications drop the quotes and backslashes (`unquote`); Gosub keeps
    them, so what it passes on can be split once more.
    """
    if not text:
        return []
    parts: list[str] = [""]
    depth = {"(": 0, "[": 0}
    closes = {")": "(", "]": "["}
    quoted = False
    characters = iter(text)
    for character in characters:
        if character in depth:
            depth[character] += 1
        elif character in closes:
            depth[closes[character]] = max(0, depth[closes[character]] - 1)
        elif character == '"':
            quoted = not quoted
            if unquote:
                continue
        elif character == "\\":
            parts[-1] += "" if unquote else character
            character = next(characters, "")
        elif character == separator and not quoted and not any(depth.values()):
            parts.append("")
            continue
        parts[-1] += character
    return parts


def substitute(text: str, lookup: Lookup) -> str:
    """Replace ``${...}`` and ``$[...]``. What a variable holds is not read a second time."""
    result = ""
    while (start := _next_substitution(text)) >= 0:
        opening = text[start + 1]
        end = _closing(text, start + 2, opening)
        inside = substitute(text[start + 2 : end], lookup)
        value = lookup(inside) if opening == "{" else evaluate(inside)
        result += text[:start] + value
        text = text[end + 1 :]
    return result + text


def _next_substitution(text: str) -> int:
    found = re.search(r"\$[{\[]", text)
    return found.start() if found else -1


def _closing(text: str, start: int, opening: str) -> int:
    closing = "}" if opening == "{" else "]"
    depth = 1
    for index in range(start, len(text)):
        depth += (text[index] == opening) - (text[index] == closing)
        if depth == 0:
            return index
    return len(text)


def evaluate(expression: str) -> str:
    """The part of ``$[...]`` that this project's dialplans use: ``= != & |`` on words and strings.

    Raises ValueError for anything else, so that a dialplan never means something else here than
    in Asterisk.
    """
    tokens = re.findall(r'"[^"]*"|!=|[=&|]|[^\s"=&|!]+', expression)
    if "".join(tokens).replace(" ", "") != re.sub(r"\s", "", expression):
        raise ValueError(f"expression not understood: $[{expression}]")
    return _either(tokens)


def _either(tokens: list[str]) -> str:
    if "|" in tokens:
        at = tokens.index("|")
        left, right = _both(tokens[:at]), _either(tokens[at + 1 :])
        return left if truth(left) else right
    return _both(tokens)


def _both(tokens: list[str]) -> str:
    if "&" in tokens:
        at = tokens.index("&")
        left, right = _compare(tokens[:at]), _both(tokens[at + 1 :])
        return left if truth(left) and truth(right) else "0"
    return _compare(tokens)


def _compare(tokens: list[str]) -> str:
    match tokens:
        case [value]:
            return value.strip('"')
        case [left, "=" | "!=" as operator, right]:
            return str(int((left.strip('"') == right.strip('"')) == (operator == "=")))
    raise ValueError(f"expression not understood: {' '.join(tokens)}")


def truth(value: str) -> bool:
    """A condition holds unless it is empty or zero."""
    return value.strip() not in ("", "0")
