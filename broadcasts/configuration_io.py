"""Presets and rules as one document: export, the difference that an import makes, import.

    presets:
    - name: vip-first
      rounds:
      - {app_filter: ^vip-, timeout_ms: 500}
      - {app_filter: "", timeout_ms: 2000}
    rules:
    - {name: sixes, extension: _6XX, preset: vip-first}

Rules stand in their order. What an entry leaves out has its default. An import makes the
installation's presets and rules those of the document; a list that the document leaves out stays as
it is.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import yaml
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import models, transaction

from broadcasts.models import AsteriskServer, Preset, Rule

Entry = dict[str, Any]
PRESET_FIELDS = Preset.CONTENT
RULE_FIELDS = ("name", "enabled", "server", "context", "extension", "caller", "preset")
FORMATS = ("yaml", "json")
# Both safe ones; those in C are many times as fast, where they come with the package.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class ImportRefused(ValueError):
    """A document cannot be imported; `faults` says why, one sentence each."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Kind(StrEnum):
    """What an import makes of an entry."""

    ADDED = "added"
    CHANGED = "changed"
    REMOVED = "removed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Change:
    """What becomes of one preset or rule; `fields` tells from what to what, where it is changed."""

    what: str
    name: str
    kind: Kind
    fields: Mapping[str, tuple[Any, Any]] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"{self.kind} {self.what} {self.name}"]
        lines += [f"    {key}: {old!r} → {new!r}" for key, (old, new) in self.fields.items()]
        return "\n".join(lines)


def export_document(file_format: str = "yaml") -> str:
    """Return presets and rules as YAML or JSON text."""
    document = {"presets": current_presets(), "rules": current_rules()}
    if file_format == "json":
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    return yaml.dump(document, Dumper=DUMPER, sort_keys=False, allow_unicode=True)


def import_document(text: str, *, dry_run: bool = False, reason: str = "") -> list[Change]:
    """Make presets and rules those of a document, YAML or JSON; returns what changes.

    With `dry_run` nothing is kept. `reason` goes into the history.

    Raises:
        ImportRefused: something cannot be used; nothing is changed.
    """
    document = read_document(text)
    with transaction.atomic():
        importer = Importer(reason)
        importer.run(document)
        if importer.faults:
            raise ImportRefused(importer.faults)
        transaction.set_rollback(dry_run)
    return importer.changes


def read_document(text: str) -> dict[str, list[Entry]]:
    """Return the lists of a document. Raises ImportRefused."""
    try:
        document = load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise ImportRefused([f"neither YAML nor JSON: {error}"]) from error
    if not isinstance(document, dict) or not document or document.keys() - {"presets", "rules"}:
        raise ImportRefused(["a document has the lists 'presets' and 'rules', and nothing else"])
    faults = [fault for what, value in document.items() for fault in shape_faults(what, value)]
    if faults:
        raise ImportRefused(faults)
    return document


def load(text: str) -> Any:
    """Return what a text holds; raises ValueError or YAMLError."""
    try:
        return json.loads(text)
    except ValueError:
        # A few aliases can stand for more than any memory holds.
        if any(isinstance(token, yaml.AliasToken) for token in yaml.scan(text, LOADER)):
            raise ValueError("aliases (*name) are not allowed") from None
        return yaml.load(text, LOADER)


def shape_faults(what: str, entries: Any) -> Iterator[str]:
    """Yield what is wrong with a list before any of its values is judged."""
    if not isinstance(entries, list):
        yield f"{what}: not a list"
        return
    known = set(PRESET_FIELDS if what == "presets" else RULE_FIELDS)
    names: set[str] = set()
    for number, entry in enumerate(entries, 1):
        name = entry.get("name") if isinstance(entry, dict) else None
        if not isinstance(name, str) or not name:
            yield f"{what}, entry {number}: it has no name"
            continue
        if name in names:
            yield f"{what}, {name}: there is more than one of this name"
        names.add(name)
        unknown = sorted(str(key) for key in entry.keys() - known)
        if unknown:
            yield f"{what}, {name}: unknown: {', '.join(unknown)}"


def current_presets() -> list[Entry]:
    """Return every preset as an entry of a document."""
    return [as_written(row, PRESET_FIELDS) for row in Preset.objects.all()]


def current_rules() -> list[Entry]:
    """Return every rule as an entry of a document, in their order."""
    return [as_written(row, RULE_FIELDS) for row in Rule.objects.select_related("server", "preset")]


class Importer:
    """Applies a document within a transaction; collects what changes and what is wrong."""

    def __init__(self, reason: str) -> None:
        self.changes: list[Change] = []
        self.faults: list[str] = []
        self._reason = reason

    def run(self, document: Mapping[str, list[Entry]]) -> None:
        old_presets = {row.name: row for row in Preset.objects.all()}
        if "presets" in document:
            self._save_presets(document["presets"], old_presets)
        if "rules" in document:
            self._save_rules(document["rules"])
        if "presets" in document:
            wanted = {entry["name"] for entry in document["presets"]}
            self._remove("preset", [row for name, row in old_presets.items() if name not in wanted])

    def _save_presets(self, entries: list[Entry], rows: Mapping[str, Preset]) -> None:
        blank = as_written(Preset(), PRESET_FIELDS)
        for entry in entries:
            self._save("preset", rows.get(entry["name"]) or Preset(), blank | entry)

    def _save_rules(self, entries: list[Entry]) -> None:
        related = {
            "server": {row.name: row for row in AsteriskServer.objects.all()},
            "preset": {row.name: row for row in Preset.objects.all()},
        }
        rows = {row.name: row for row in Rule.objects.select_related("server", "preset")}
        blank = as_written(Rule(), RULE_FIELDS)
        for position, entry in enumerate(entries, 1):
            values = blank | entry | {"position": position}
            faults = list(missing(values, related))
            self.faults += [f"rule {entry['name']}: {fault}" for fault in faults]
            if not faults:
                self._save("rule", rows.get(entry["name"]) or Rule(), found(values, related))
        wanted = {entry["name"] for entry in entries}
        self._remove("rule", [row for name, row in rows.items() if name not in wanted])

    def _save(self, what: str, row: models.Model, values: Entry) -> None:
        """Give a row these values, and save it if that changes it."""
        name, is_new = values["name"], row.pk is None
        old = as_written(row, values)
        for key, value in values.items():
            setattr(row, key, value)
        if is_new or as_written(row, values) != old:
            row._change_reason = self._reason or None
            try:
                row.full_clean()
            except ValidationError as error:
                self.faults += [f"{what} {name}: {fault}" for fault in sentences(error)]
                return
        # Compared once more: cleaned values are written in one way.
        new = as_written(row, values)
        fields = {key: (old[key], new[key]) for key in values if old[key] != new[key]}
        if is_new:
            self.changes.append(Change(what, name, Kind.ADDED))
        elif fields:
            self.changes.append(Change(what, name, Kind.CHANGED, fields))
        else:
            self.changes.append(Change(what, name, Kind.UNCHANGED))
            return
        row.save()

    def _remove(self, what: str, rows: list[Any]) -> None:
        for row in rows:
            self.changes.append(Change(what, row.name, Kind.REMOVED))
            row._change_reason = self._reason or None
            try:
                row.delete()
            except models.ProtectedError as error:
                users = sorted(f"{one._meta.verbose_name} {one}" for one in error.protected_objects)
                self.faults.append(f"{what} {row.name}: still used by {', '.join(users)}")


Related = Mapping[str, Mapping[str, models.Model]]


def missing(values: Entry, related: Related) -> Iterator[str]:
    """Yield which of the rows that a rule names do not exist; only a server may be left out."""
    for key, rows in related.items():
        name = values[key]
        if name is None and key != "server":
            yield f"{key}: it has to name one"
        elif name is not None and not (isinstance(name, str) and name in rows):
            yield f"{key}: there is no {key} {name!r}"


def found(values: Entry, related: Related) -> Entry:
    """Return the values of a rule with the rows that it names."""
    return values | {key: rows.get(values[key]) for key, rows in related.items()}


def as_written(row: models.Model, keys: Iterable[str]) -> Entry:
    """Return values of a row as a document writes them: another row by its name."""
    values = {key: getattr(row, key, None) for key in keys}
    return {
        key: value.name if isinstance(value, models.Model) else value
        for key, value in values.items()
    }


def sentences(error: ValidationError) -> Iterator[str]:
    """Yield every message of a refused row, with its field."""
    for key, messages in error.message_dict.items():
        for message in messages:
            yield message if key == NON_FIELD_ERRORS else f"{key}: {message}"
