"""A dialplan read from ``extensions.conf`` text: contexts, extensions, priorities and labels."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .channel import Step

_EXTEN = re.compile(r"exten\s*=>?\s*(?P<exten>[^,]+),(?P<step>.*)")
_SAME = re.compile(r"same\s*=>?\s*(?P<step>.*)")
_STEP = re.compile(r"(?P<priority>n|\d+)(?:\((?P<label>[^)]*)\))?\s*,\s*(?P<call>.*)")
_CALL = re.compile(r"(?P<app>\w+)\s*(?:\((?P<data>.*)\))?\s*$")
_SET = {"X": "[0-9]", "Z": "[1-9]", "N": "[2-9]", ".": ".+", "!": ".*"}


@dataclass
class Extension:
    """An extension or, with a leading underscore, a pattern."""

    name: str
    steps: dict[int, Step] = field(default_factory=dict)
    labels: dict[str, int] = field(default_factory=dict)

    def matches(self, dialled: str) -> bool:
        if not self.name.startswith("_"):
            return self.name == dialled
        pattern = re.sub(
            r"\[[^]]*\]|.", lambda found: _set_of_characters(found[0]), self.name.removeprefix("_")
        )
        return re.fullmatch(pattern, dialled) is not None


def _set_of_characters(symbol: str) -> str:
    if symbol.startswith("["):
        return symbol
    return _SET.get(symbol, re.escape(symbol))


class Dialplan:
    """Contexts by name. Later text adds to earlier, as an ``#include`` would."""

    def __init__(self, text: str = "") -> None:
        self.globals: dict[str, str] = {}
        self._contexts: dict[str, list[Extension]] = {}
        self.load(text)

    def load(self, text: str) -> None:
        """Read more ``extensions.conf`` text; raises ValueError with a line that is not one."""
        context, extension = "", None
        for line in text.splitlines():
            line = re.sub(r"(?<!\\);.*", "", line).strip().replace("\\;", ";")
            if line.startswith("["):
                context, extension = line[1 : line.index("]")], None
            elif line and not line.startswith("#") and context != "general":
                extension = self._read(context, extension, line)

    def _read(self, context: str, extension: Extension | None, line: str) -> Extension | None:
        if context == "globals":
            name, _, value = line.partition("=")
            self.globals[name.strip()] = value.removeprefix(">").strip()
            return None
        if found := _EXTEN.fullmatch(line):
            extension = self._extension(context, found["exten"].strip())
        elif not (found := _SAME.fullmatch(line)):
            raise ValueError(f"not a dialplan line: {line}")
        if extension is None:
            raise ValueError(f"'same' without an extension: {line}")
        _add(extension, found["step"].strip())
        return extension

    def _extension(self, context: str, name: str) -> Extension:
        extensions = self._contexts.setdefault(context, [])
        for extension in extensions:
            if extension.name == name:
                return extension
        extensions.append(Extension(name))
        return extensions[-1]

    def step(self, context: str, exten: str, priority: int) -> Step | None:
        """The step to run here. A priority that the extension lacks may come from a pattern."""
        for extension in self._matching(context, exten):
            if priority in extension.steps:
                return extension.steps[priority]
        return None

    def label(self, context: str, exten: str, label: str) -> int | None:
        for extension in self._matching(context, exten):
            if label in extension.labels:
                return extension.labels[label]
        return None

    def _matching(self, context: str, exten: str) -> list[Extension]:
        found = [e for e in self._contexts.get(context, []) if e.matches(exten)]
        return sorted(found, key=lambda extension: extension.name.startswith("_"))


def _add(extension: Extension, text: str) -> None:
    step = _STEP.fullmatch(text)
    call = _CALL.fullmatch(step["call"].strip()) if step else None
    if step is None or call is None:
        raise ValueError(f"not a dialplan step: {text}")
    priority = int(step["priority"]) if step["priority"] != "n" else max(extension.steps) + 1
    extension.steps[priority] = Step(call["app"], call["data"] or "")
    if step["label"]:
        extension.labels[step["label"]] = priority
