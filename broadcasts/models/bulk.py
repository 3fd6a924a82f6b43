"""Many rows of configuration at once, each with its entry in the history, in few statements.

The record waits while somebody else writes, so what an import writes has to be written quickly.
"""

from collections.abc import Iterable, Sequence

from django.db import models
from django.utils import timezone

from .configuration import Revision
from .presets import Preset

BATCH = 500


def add_all(rows: Sequence[models.Model], reason: str = "") -> None:
    """Insert rows of one model."""
    if rows:
        prepare(rows)
        type(rows[0]).objects.bulk_create(rows, batch_size=BATCH)
        remember(rows, reason, is_change=False)


def change_all(rows: Sequence[models.Model], columns: Iterable[str], reason: str = "") -> None:
    """Update these columns of rows of one model."""
    if rows:
        prepare(rows)
        written = {*columns, "changed_at", *(["version"] if isinstance(rows[0], Preset) else [])}
        type(rows[0]).objects.bulk_update(rows, written, batch_size=BATCH)
        remember(rows, reason, is_change=True)


def remove_all(rows: Iterable[models.Model], reason: str = "") -> None:
    """Delete rows, one by one."""
    for row in rows:
        row._change_reason = reason or None
        row.delete()


def prepare(rows: Sequence[models.Model]) -> None:
    """Give rows what else their save() gives them."""
    now = timezone.now()
    for row in rows:
        row.changed_at = now
    if isinstance(rows[0], Preset):
        Preset.count_versions(rows)


def remember(rows: Sequence[models.Model], reason: str, *, is_change: bool) -> None:
    """Enter rows in the history of their model, and count one change of the configuration."""
    history = type(rows[0]).history
    who = history.model.get_default_history_user(rows[0])
    history.bulk_history_create(
        rows,
        batch_size=BATCH,
        update=is_change,
        default_user=who,
        default_change_reason=reason or None,
        custom_historical_attrs={"changed_by": str(who or "")},
    )
    Revision.advance()
