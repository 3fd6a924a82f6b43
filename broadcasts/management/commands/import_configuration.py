"""manage.py import_configuration: make presets and rules those of a file."""

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from broadcasts.configuration_io import Change, ImportRefused, Kind, import_document


class Command(BaseCommand):
    help = (
        "Make presets and rules those of a YAML or JSON file, as export_configuration writes it, "
        "and print what changes. What the file does not name is removed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", help="its path, or - for standard input")
        parser.add_argument("--dry-run", action="store_true", help="only show what would change")
        parser.add_argument("--reason", default="", help="kept in the history of changes")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            changes = import_document(
                read(options["file"]), dry_run=options["dry_run"], reason=options["reason"]
            )
        except ImportRefused as refusal:
            raise CommandError(f"nothing was changed:\n{refusal}") from None
        for change in changes:
            if change.kind is not Kind.UNCHANGED:
                self.stdout.write(str(change))
        self.stdout.write(summary(changes, options["dry_run"]))


def read(path: str) -> str:
    """Return the text of a file. Raises CommandError."""
    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}") from None


def summary(changes: list[Change], dry_run: bool) -> str:
    counts = {kind: sum(change.kind is kind for change in changes) for kind in Kind}
    told = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    return f"{told}{'; nothing was changed (dry run)' if dry_run else ''}"
