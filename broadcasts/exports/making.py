"""Making a package: from what is wanted, with somebody's rights, to bytes and a manifest."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone

from broadcasts.archive.chain import anchor
from broadcasts.archive.signing import public_key
from broadcasts.models import AccessEvent, Wanted

from . import rights, words
from .other_tables import access_tables, change_tables, report_tables
from .package import Package
from .record_tables import record_tables
from .tables import Table, snapshot, zone_of
from .workbook import write_xlsx
from .writers import Step, names, write_csv, write_json_lines

WRITERS: dict[str, Callable[..., None]] = {
    Wanted.Format.CSV: write_csv,
    Wanted.Format.JSON_LINES: write_json_lines,
    Wanted.Format.XLSX: write_xlsx,
}


@dataclass(frozen=True, slots=True)
class Made:
    """A package that was made; `needs`: the permissions that it takes."""

    rows: int
    size: int
    sha256: str
    manifest: dict[str, Any]
    needs: list[str]


def tables_for(wanted: Wanted, person: Any) -> list[Table]:
    """Return what an export will contain; nothing is read yet. Raises ExportRefused.

    Periods such as "the last 7 days" count from now, times without a zone are the export's.
    """
    rights.check(person, wanted)
    with timezone.override(zone_of(wanted)):
        if wanted.kind == Wanted.Kind.RECORD:
            return record_tables(wanted, rights.shown_to(person, wanted))
        if wanted.kind == Wanted.Kind.CHANGES:
            return change_tables(wanted, person)
        if wanted.kind == Wanted.Kind.ACCESS:
            return access_tables(wanted)
        return report_tables(wanted)


def count(tables: list[Table], limit: int | None = None) -> int:
    """Return how many rows there will be, of each table counted up to a limit."""
    return sum(table.count(limit) for table in tables)


def make(
    wanted: Wanted, person: Any, out: BinaryIO, step: Step = lambda rows: None, number: str = ""
) -> Made:
    """Write a package with somebody's rights; `step` is told of the rows that have been written.

    Raises ExportRefused.
    """
    now, zone = timezone.now(), zone_of(wanted)
    with snapshot(), Package(out, now.astimezone(zone)) as package:
        for table in tables_for(wanted, person):
            write(table, wanted, zone, package, step)
        manifest = {**described(wanted, person, now, zone), "id": number, "anchor": anchor()}
        package.finish(manifest)
    rows = sum(file["rows"] for file in package.files)
    manifest["files"] = package.files
    needs = rights.needed(person, wanted)
    return Made(rows, package.size, package.sha256, manifest, needs)


def write(table: Table, wanted: Wanted, zone: ZoneInfo, package: Package, step: Step) -> None:
    """Write a table as a file of the package."""
    rows = 0

    def counted(more: int) -> None:
        nonlocal rows
        rows += more
        step(more)

    titles = names(table.columns, Wanted.Header.LABELS)
    columns = [
        {"key": one.key, "title": title} for one, title in zip(table.columns, titles, strict=True)
    ]
    packed = wanted.format == Wanted.Format.XLSX
    with package.file(
        f"{table.name}.{wanted.format}", packed, title=table.title, columns=columns
    ) as file:
        WRITERS[wanted.format](table, wanted, zone, file, counted)
    package.files[-1]["rows"] = rows


def described(wanted: Wanted, person: Any, now: datetime, zone: ZoneInfo) -> dict[str, Any]:
    """Return what a manifest says of an export as a whole."""
    in_full = rights.in_full_for(person, wanted)
    return {
        "product": "Stasis Broadcast",
        "version": settings.VERSION,
        "made_at": now.astimezone(zone).isoformat(),
        "made_for": person.get_username(),
        "kind": wanted.kind,
        "what": wanted.get_kind_display(),
        "filter": {
            "in_words": words.filter_in_words(wanted, in_full),
            "query": words.query(wanted, in_full),
        },
        "everything_about_each": wanted.kind == Wanted.Kind.RECORD and not wanted.columns,
        "file_format": wanted.format,
        "zone": wanted.zone,
        "header": wanted.header,
        "numbers": "in full" if in_full else "masked",
        "public_key": public_key(),
    }


def note(wanted: Wanted, person: Any, made: Made, address: str = "", **more: Any) -> None:
    """Record that a package went out."""
    in_full = rights.in_full_for(person, wanted)
    AccessEvent.note(
        AccessEvent.Kind.EXPORT,
        person.get_username(),
        address,
        what=wanted.kind,
        format=wanted.format,
        filter=words.query(wanted, in_full=False),
        columns=wanted.columns,
        rows=made.rows,
        unmasked=in_full,
        sha256=made.sha256,
        **more,
    )
