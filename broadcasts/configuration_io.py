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
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import yaml
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, OperationalError, models, transaction

from broadcasts.domain.errors import in_a_line
from broadcasts.models import AsteriskServer, Defaults, Preset, Revision, Rule
from broadcasts.models.bulk import Writing

Entry = dict[str, Any]
PRESET_FIELDS = Preset.CONTENT
RULE_FIELDS = ("name", "enabled", "server", "context", "extension", "caller", "preset")
RELATED = ("server", "preset")
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


def import_document(
    text: str, *, dry_run: bool = False, reason: str = "", revision: int | None = None
) -> list[Change]:
    """Make presets and rules those of a document, YAML or JSON; returns what changes.

    It is applied whole or not at all, in one short transaction: all thinking is done before, and
    holds only as long as nobody else changes the configuration. With `dry_run` nothing is written.
    `reason` goes into the history; `revision` is the configuration that it may be applied to.

    Raises:
        ImportRefused: something cannot be used; nothing is changed.
    """
    if revision is None:
        revision = Revision.current()
    planned = PlannedImport(read_document(text))
    if planned.faults:
        raise ImportRefused(planned.faults)
    if not dry_run:
        apply(planned.writing(reason), revision)
    return planned.changes


def apply(writing: Writing, revision: int) -> None:
    """Write what was planned on a revision. Raises ImportRefused."""
    try:
        with transaction.atomic():
            # Counted first: whoever changes something else meanwhile waits here, or is seen.
            Revision.advance()
            if Revision.current() != revision + 1:
                raise ImportRefused(["the configuration was changed meanwhile; try again"])
            writing.execute()
    except (IntegrityError, OperationalError) as error:
        raise ImportRefused([f"it could not be written; try again: {in_a_line(error)}"]) from error


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
    """Return every preset as an entry of a document, its rounds always told."""
    blank = as_written(Preset(rounds=None), PRESET_FIELDS)
    return [told(row, blank) for row in Preset.objects.all()]


def current_rules() -> list[Entry]:
    """Return every rule as an entry of a document, in their order."""
    blank = as_written(Rule(), RULE_FIELDS)
    return [told(row, blank) for row in Rule.objects.select_related("server", "preset")]


def told(row: models.Model, blank: Entry) -> Entry:
    """Return a row as an entry of a document, without what has its default."""
    entry = as_written(row, blank)
    return {key: value for key, value in entry.items() if value != blank[key]}


class PlannedImport:
    """What a document changes, and what is wrong with it."""

    def __init__(self, document: Mapping[str, list[Entry]]) -> None:
        self.changes: list[Change] = []
        self.faults: list[str] = []
        self._presets = Rows("preset")
        self._rules = Rows("rule")
        presets = {row.name: row for row in Preset.objects.all()}
        if "presets" in document:
            presets = self._plan_presets(document["presets"], presets)
        if "rules" in document:
            self._plan_rules(document["rules"], presets)
        elif self._presets.removed:
            self._refuse_if_used(Rule.objects.select_related("preset"))
        self._refuse_if_used(Defaults.objects.select_related("preset", "server"))

    def writing(self, reason: str) -> Writing:
        """Return what is to be written, so ordered that what is referred to is there."""
        writing = Writing(reason)
        writing.remove(self._rules.removed)
        writing.add(self._presets.added)
        writing.change(self._presets.changed, self._presets.columns)
        writing.add(self._rules.added)
        writing.change(self._rules.changed, self._rules.columns)
        writing.remove(self._presets.removed)
        return writing

    def _plan_presets(self, entries: list[Entry], rows: Mapping[str, Preset]) -> dict[str, Preset]:
        """Return the presets that there will be."""
        blank = as_written(Preset(), PRESET_FIELDS)
        wanted = {}
        for entry in entries:
            row = wanted[entry["name"]] = rows.get(entry["name"]) or Preset()
            self._plan(self._presets, row, blank | entry)
        self._plan_removal(self._presets, rows, wanted)
        return wanted

    def _plan_rules(self, entries: list[Entry], presets: Mapping[str, Preset]) -> None:
        servers = {row.name: row for row in AsteriskServer.objects.all()}
        related = {"server": servers, "preset": presets}
        rows = {row.name: row for row in Rule.objects.select_related("server", "preset")}
        blank = as_written(Rule(), RULE_FIELDS)
        for position, entry in enumerate(entries, 1):
            values = blank | entry | {"position": position}
            faults = list(missing(values, related))
            self.faults += [f"rule {entry['name']}: {fault}" for fault in faults]
            if not faults:
                row = rows.get(entry["name"]) or Rule()
                self._plan(self._rules, row, found(values, related))
        self._plan_removal(self._rules, rows, {entry["name"] for entry in entries})

    def _plan(self, rows: "Rows", row: models.Model, values: Entry) -> None:
        """Give a row these values, and plan to save it if that changes it."""
        name, is_new = values["name"], row.pk is None
        old = as_written(row, values)
        for key, value in values.items():
            setattr(row, key, value)
        if is_new or as_written(row, values) != old:
            try:
                # Which rows it names and whether its name is its own is known already.
                row.full_clean(exclude=RELATED, validate_unique=False)
            except ValidationError as error:
                self.faults += [f"{rows.what} {name}: {fault}" for fault in sentences(error)]
                return
        # Compared once more: cleaned values are written in one way.
        new = as_written(row, values)
        fields = {key: (old[key], new[key]) for key in values if old[key] != new[key]}
        if is_new:
            rows.added.append(row)
            self.changes.append(Change(rows.what, name, Kind.ADDED))
        elif fields:
            rows.changed.append(row)
            rows.columns.update(fields)
            self.changes.append(Change(rows.what, name, Kind.CHANGED, fields))
        else:
            self.changes.append(Change(rows.what, name, Kind.UNCHANGED))

    def _plan_removal(
        self, rows: "Rows", existing: Mapping[str, models.Model], wanted: Container[str]
    ) -> None:
        for name, row in existing.items():
            if name not in wanted:
                rows.removed.append(row)
                self.changes.append(Change(rows.what, name, Kind.REMOVED))

    def _refuse_if_used(self, users: Iterable[models.Model]) -> None:
        removed = {row.pk for row in self._presets.removed}
        self.faults += [
            f"preset {user.preset}: still used by {user._meta.verbose_name} {user}"
            for user in users
            if user.preset_id in removed
        ]


@dataclass
class Rows:
    """The rows of one kind that an import writes; `columns` are those that change in any."""

    what: str
    added: list[Any] = field(default_factory=list)
    changed: list[Any] = field(default_factory=list)
    columns: set[str] = field(default_factory=set)
    removed: list[Any] = field(default_factory=list)


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
