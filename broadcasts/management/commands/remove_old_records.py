"""manage.py remove_old_records: the retention, as the service does it every day."""

from datetime import datetime
from typing import Any

from django.core.management.base import CommandParser

from broadcasts.archive.retention import Removal, would_remove
from broadcasts.management.old_records import OldRecordsCommand, counted


class Command(OldRecordsCommand):
    help = (
        "Remove sealed records that are older than the retention, from the beginning of the chain, "
        "and leave a signed note of what went."
    )
    setting = "RETENTION_DAYS"
    progress = "Seals removed"

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--unverified",
            action="store_true",
            help="also where the chain does not hold, once you have looked into that",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        self._unverified = options["unverified"]
        super().handle(*args, **options)

    def work(self, older_than: datetime, by: str) -> Removal:
        return Removal(older_than, by, self._unverified)

    def would(self, older_than: datetime) -> str:
        return f"removed {counted(would_remove(older_than))}"

    def done(self, work: Removal) -> str:
        return f"removed {counted(work.removed)}"
