"""The history of changes of the configuration: who, when, from what to what, and why."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.contrib.auth.models import Group, Permission, User
from django.db.models import CharField, Field, Model, OuterRef, QuerySet, Subquery, Value
from django.utils.text import capfirst

from broadcasts.models import AriUser, AsteriskServer, Defaults, Preset, Rule

from .words import in_words

KEPT: tuple[type[Model], ...] = (Preset, Rule, Defaults, AsteriskServer, AriUser, User, Group)
KINDS = {"+": "created", "~": "changed", "-": "deleted"}
# A rule also moves when others do; the reason tells of a move of its own. Versions are counted.
UNTOLD = {"id", "position", "version"}

# Of several histories together: the same moment and number may be in more than one.
NEWEST_FIRST = ("-history_date", "-history_id", "place")

Key = tuple[type[Model], Any]
Place = tuple[Any, Any, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """What a field was and what it became, in words."""

    label: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Change:
    """One entry of a history, as pages show it."""

    record: Any
    kind: str
    name: str
    model: str
    differences: list[Difference]


def entries_of(model: type[Model]) -> type[Any]:
    """Return the model of the entries of a model's history."""
    return model.history.model  # type: ignore[attr-defined]


def permission_to_see(model: type[Model]) -> str:
    """Return the permission that the history of a model's changes takes."""
    entries = entries_of(model)._meta
    return f"{entries.app_label}.view_{entries.model_name}"


def newest(models: Sequence[type[Model]], start: int, count: int) -> list[Change]:
    """Return `count` changes of these models, newest first, from the `start`-th on."""
    entries = [entries_of(model).objects.all() for model in models]
    return read_changes(models, places(entries)[start : start + count])


def places(entries: "Sequence[QuerySet[Any]]") -> "QuerySet[Any]":
    """Return where the entries of several histories are, newest first: for `read_changes`."""
    parts = [
        found.order_by()
        .annotate(place=Value(number, output_field=CharField()))
        .values_list("history_date", "history_id", "place")
        for number, found in enumerate(entries)
    ]
    return parts[0].union(*parts[1:], all=True).order_by(*NEWEST_FIRST)


def read_changes(models: Sequence[type[Model]], found: Iterable[Place]) -> list[Change]:
    """Return the changes at these places, which `places` has numbered by the models' order."""
    wanted = [(models[int(number)], key) for _, key, number in found]
    changes = dict(chain.from_iterable(_read(model, wanted) for model in models))
    return [changes[key] for key in wanted]


def _read(model: type[Model], wanted: Iterable[Key]) -> Iterator[tuple[Key, Change]]:
    keys = [key for of, key in wanted if of is model]
    if keys:
        records = entries_of(model).objects.filter(history_id__in=keys)
        for change in describe(model, records):
            yield (model, change.record.history_id), change


def describe(model: type[Model], records: "QuerySet[Any]") -> list[Change]:
    """Compare entries of a history with the ones before them; a few queries, however many."""
    before = (
        entries_of(model)
        .objects.filter(id=OuterRef("id"), history_id__lt=OuterRef("history_id"))
        .order_by("-history_id")
    )
    found = list(records.annotate(before=Subquery(before.values("history_id")[:1])))
    old = entries_of(model).objects.in_bulk([entry.before for entry in found if entry.before])
    names = Names([*found, *old.values()], model)
    return [
        Change(
            record,
            KINDS[record.history_type],
            names.of_object(record),
            capfirst(str(model._meta.verbose_name)),
            list(_differences(model, old.get(record.before), record, names)),
        )
        for record in found
    ]


def _differences(model: type[Model], old: Any, new: Any, names: "Names") -> Iterator[Difference]:
    if new.history_type == "-":
        return
    for field in told_fields(model):
        before = names.value(field, old) if old else ""
        after = names.value(field, new)
        if before != after:
            yield Difference(capfirst(str(field.verbose_name)), before, after)


def told_fields(model: type[Model]) -> list["Field[Any, Any]"]:
    """Return the fields whose changes are told; secrets are not even in the history."""
    kept = {field.name for field in entries_of(model).tracked_fields} - UNTOLD
    return [field for field in model._meta.fields if field.name in kept] + told_many(model)


def told_many(model: type[Model]) -> list[Any]:
    """Return those fields among them that hold several values."""
    kept = {field.name for field in entries_of(model)._history_m2m_fields}
    return [field for field in model._meta.many_to_many if field.name in kept]


class Names:
    """Values of entries in words; what they refer to is looked up once for all of them."""

    def __init__(self, entries: Sequence[Any], model: type[Model]) -> None:
        self._model = model
        self._names: dict[Key, str] = {}
        self._many = {field.name: self._links(field, entries) for field in told_many(model)}
        for field in told_fields(model):
            if field.remote_field:
                wanted = {key for entry in entries for key in self._keys(field, entry)}
                related = field.related_model
                for key, found in related._default_manager.in_bulk(wanted).items():
                    # In full a permission's name would take a query, and half a line.
                    name = found.name if related is Permission else str(found)
                    self._names[related, key] = name

    def of_object(self, entry: Any) -> str:
        """Return the name that an object had."""
        if self._model is Defaults:
            return self.value(Defaults._meta.get_field("server"), entry) or "Whole installation"
        return entry.username if self._model is User else entry.name

    def value(self, field: "Field[Any, Any]", entry: Any) -> str:
        """Return what an entry holds in a field; what is gone is named by its number."""
        if field.remote_field:
            related = field.related_model
            keys = self._keys(field, entry)
            return ", ".join(sorted(self._names.get((related, key), f"#{key}") for key in keys))
        return in_words(field, getattr(entry, field.attname))

    def _keys(self, field: "Field[Any, Any]", entry: Any) -> list[Any]:
        if field.name in self._many:
            return self._many[field.name].get(entry.history_id, [])
        key = getattr(entry, field.attname)
        return [] if key is None else [key]

    @staticmethod
    def _links(field: Any, entries: Sequence[Any]) -> dict[Any, list[Any]]:
        """Return what a field with many values referred to, by entry."""
        links: dict[Any, list[Any]] = {}
        rows = getattr(type(entries[0]), field.name).model.objects if entries else None
        if rows is not None:
            ids = [entry.history_id for entry in entries]
            pairs = rows.filter(history_id__in=ids).values_list(
                "history_id", field.m2m_reverse_name()
            )
            for entry, key in pairs:
                links.setdefault(entry, []).append(key)
        return links
