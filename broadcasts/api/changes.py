"""The configuration's changes: the entries of several histories as one list."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Model, Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from broadcasts.exports.filters import ChangesFilter
from broadcasts.history.changes import KEPT, entries_of, permission_to_see, places, read_changes
from broadcasts.models import Preset

from . import paging, shapes
from .errors import answers
from .reading import ReadOnly, Row
from .rights import rights_of


@dataclass(frozen=True, slots=True)
class Histories:
    """The entries of several models, with as much of a query as paging asks of one."""

    entries: "dict[type[Model], QuerySet[Any]]"
    order: tuple[str, ...] = ()

    def order_by(self, *order: str) -> "Histories":
        return Histories(self.entries, order)

    def filter(self, condition: Q) -> "Histories":
        found = {model: entries.filter(condition) for model, entries in self.entries.items()}
        return Histories(found, self.order)

    def __getitem__(self, piece: slice) -> list[Row]:
        """Read a piece: changes in words, with what they are in order by."""
        found = places([*self.entries.values()]).order_by(*self.order)[piece]
        return [
            {"history_date": change.record.history_date, "change": change}
            for change in read_changes([*self.entries], found)
        ]


class Changes(ReadOnly):
    queryset = entries_of(Preset).objects.all()
    serializer_class = shapes.ChangeSerializer
    filterset_class = ChangesFilter
    pagination_class = paging.ByChange
    needs = tuple(permission_to_see(model) for model in KEPT)

    @extend_schema(
        operation_id="changes",
        summary="Changes of the configuration and of people's accounts, newest first",
        description="Who changed what, when, from what to what, and why. Of each kind of thing "
        "that the token may see the history of; secrets are in none.",
        responses=answers(shapes.ChangeSerializer(many=True)),
        tags=["Proof"],
    )
    def get(self, request: Request) -> Response:
        seen = [model for model in KEPT if permission_to_see(model) in rights_of(request)]
        found = {model: self.filter_queryset(entries_of(model).objects.all()) for model in seen}
        return self.page_of(Histories(found), told)


def told(row: Row) -> Row:
    """Return a change as it is answered."""
    change = row["change"]
    entry = change.record
    return {
        "at": entry.history_date,
        "by": entry.changed_by,
        "of": entry.instance_type._meta.model_name,
        "name": change.name,
        "change": change.kind,
        "reason": entry.history_change_reason or "",
        "differences": [
            {"field": one.label, "old": one.old, "new": one.new} for one in change.differences
        ],
    }
