"""manage.py export_record: a package of the record, of changes, accesses or reports."""

import getpass
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.http import QueryDict

from broadcasts.exports.making import make, note
from broadcasts.exports.rights import CommandLine
from broadcasts.exports.tables import ExportRefused
from broadcasts.history.columns import USUAL
from broadcasts.models import Export, Wanted


class Command(BaseCommand):
    help = "Write a package: a ZIP with the data and a signed manifest. It is recorded who did."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--out", type=Path, required=True, metavar="FILE")
        parser.add_argument("--kind", choices=Wanted.Kind.values, default=Wanted.Kind.RECORD)
        parser.add_argument("--format", choices=Wanted.Format.values, default=Wanted.Format.CSV)
        parser.add_argument(
            "--filter", default="", help="as in the address of the page: 'status=failed&period=30d'"
        )
        parser.add_argument(
            "--columns", default="", help="keys separated by commas; else the usual"
        )
        parser.add_argument(
            "--everything",
            action="store_true",
            help="all columns, candidates and claim attempts; of any time unless --filter says",
        )
        parser.add_argument("--header", choices=Wanted.Header.values, default=Wanted.Header.LABELS)
        parser.add_argument("--zone", default=settings.TIME_ZONE, help="such as Europe/Berlin")
        parser.add_argument("--unmasked", action="store_true", help="with numbers in full")

    def handle(self, *args: Any, out: Path, **options: Any) -> None:
        wanted = as_wanted(options)
        person = CommandLine(f"{getpass.getuser()} (command line)")
        part = out.with_name(f".{out.name}.{os.getpid()}")
        try:
            with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as to:
                made = make(wanted, person, to)
            note(wanted, person, made)
            part.replace(out)
        except ExportRefused as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{out} cannot be written: {error.strerror}.") from error
        finally:
            part.unlink(missing_ok=True)
        self.stdout.write(f"{out}: {made.rows:,} rows, {made.size:,} bytes, SHA-256 {made.sha256}")


def as_wanted(options: dict[str, Any]) -> Wanted:
    """Return what the options ask for. Raises CommandError."""
    if options["everything"] and options["columns"]:
        raise CommandError("--everything takes no --columns.")
    query = options["filter"] or ("period=all" if options["everything"] else "")
    if query and "=" not in query:
        raise CommandError("--filter takes NAME=VALUE, several joined by &.")
    return Export(
        kind=options["kind"],
        format=options["format"],
        query=dict(QueryDict(query).lists()),
        columns=[] if options["everything"] else columns_of(options),
        header=options["header"],
        zone=options["zone"],
        unmasked=options["unmasked"],
    )


def columns_of(options: dict[str, Any]) -> list[str]:
    """Return the keys of the columns asked for; of broadcasts, the usual ones unless others are."""
    keys = [key.strip() for key in options["columns"].split(",") if key.strip()]
    usual = [column.key for column in USUAL] if options["kind"] == Wanted.Kind.RECORD else []
    return keys or usual
