"""Many rows of configuration at once, each with its entry in the history.

On SQLite the record waits while somebody else writes. So everything is prepared before, and the
transaction that writes it does nothing but hand statements to the database.
"""

from collections.abc import Iterable, Sequence
from typing import Any, TypeAlias

from django.db import connection, models
from django.utils import timezone

from .presets import Preset

Field: TypeAlias = "models.Field[Any, Any]"


class Writing:
    """Rows to be added, changed and removed for one reason, in the order in which it is told.

    Their models have a unique name. A row that another one refers to may be new itself, so it is
    referred to by its name.
    """

    def __init__(self, reason: str = "") -> None:
        self._reason = reason
        self._statements: list[tuple[str, list[tuple[Any, ...]]]] = []

    def add(self, rows: Sequence[models.Model]) -> None:
        """Insert rows of one model."""
        if rows:
            prepare(rows)
            fields = [one for one in rows[0]._meta.concrete_fields if not one.primary_key]
            into = f"INSERT INTO {table(rows[0])} ({columns(fields)})"
            self._say(f"{into} VALUES ({', '.join(map(place, fields))})", rows, fields)
            self._remember(rows, "+")

    def change(self, rows: Sequence[models.Model], names: Iterable[str]) -> None:
        """Update the fields of these names in rows of one model."""
        if rows:
            prepare(rows)
            written = {*names, "changed_at", *(["version"] if isinstance(rows[0], Preset) else [])}
            fields = [rows[0]._meta.get_field(name) for name in sorted(written)]
            settings = ", ".join(f"{columns([one])} = {place(one)}" for one in fields)
            sql = f"UPDATE {table(rows[0])} SET {settings} WHERE name = %s"
            self._say(sql, rows, [*fields, name_of(rows[0])])
            self._remember(rows, "~")

    def remove(self, rows: Sequence[models.Model]) -> None:
        """Delete rows of one model, to which nothing but rows of other models refers."""
        if rows:
            self._remember(rows, "-")
            self._say(f"DELETE FROM {table(rows[0])} WHERE name = %s", rows, [name_of(rows[0])])

    def execute(self) -> None:
        """Write it all; must run in a transaction."""
        with connection.cursor() as cursor:
            for sql, values in self._statements:
                cursor.executemany(sql, values)

    def _say(self, sql: str, rows: Iterable[models.Model], fields: Sequence[Field]) -> None:
        values = [tuple(value(row, one) for one in fields) for row in rows]
        self._statements.append((sql, values))

    def _remember(self, rows: Sequence[models.Model], kind: str) -> None:
        """Enter rows in the history of their model, as they stand in the database by then."""
        history = type(rows[0]).history.model  # type: ignore[attr-defined]
        who = history.get_default_history_user(rows[0])
        told = {
            "history_date": timezone.now(),
            "history_type": kind,
            "history_change_reason": self._reason or None,
            "history_user": who.pk if who else None,
            "changed_by": str(who or ""),
        }
        fields = [history._meta.get_field(name) for name in told]
        shared = [
            field.get_db_prep_save(one, connection)
            for field, one in zip(fields, told.values(), strict=True)
        ]
        kept = columns(history.tracked_fields)
        sql = (
            f"INSERT INTO {table(history)} ({kept}, {columns(fields)}) "
            f"SELECT {kept}, {', '.join(['%s'] * len(fields))} FROM {table(rows[0])} "
            "WHERE name = %s"
        )
        values = [(*shared, value(row, name_of(row))) for row in rows]
        self._statements.append((sql, values))


def prepare(rows: Sequence[models.Model]) -> None:
    """Give rows what else their save() gives them."""
    now = timezone.now()
    for row in rows:
        row.changed_at = now  # type: ignore[attr-defined]
    if isinstance(rows[0], Preset):
        Preset.count_versions(rows)  # type: ignore[arg-type]


def table(model: models.Model | type[models.Model]) -> str:
    return connection.ops.quote_name(model._meta.db_table)


def columns(fields: Iterable[Field]) -> str:
    return ", ".join(connection.ops.quote_name(one.column) for one in fields)


def name_of(row: models.Model) -> Field:
    """Return the field with the unique name of a row."""
    return row._meta.get_field("name")


def place(field: Field) -> str:
    """Return what stands in a statement for a field's value."""
    if field.remote_field:
        return f"(SELECT id FROM {table(field.related_model)} WHERE name = %s)"
    return "%s"


def value(row: models.Model, field: Field) -> Any:
    """Return what a row holds in a field, as the database takes it."""
    if field.remote_field:
        return getattr(getattr(row, field.name), "name", None)
    return field.get_db_prep_save(getattr(row, field.attname), connection)
