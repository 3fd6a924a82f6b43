"""manage.py remove_old_records: the retention, as the service does it every day."""

from datetime import datetime

from broadcasts.archive.retention import Removal, would_remove
from broadcasts.management.old_records import OldRecordsCommand, counted


class Command(OldRecordsCommand):
    help = (
        "Remove sealed records that are older than the retention, from the beginning of the chain, "
        "and leave a signed note of what went."
    )
    setting = "RETENTION_DAYS"
    progress = "Seals removed"

    def work(self, older_than: datetime, by: str) -> Removal:
        return Removal(older_than, by)

    def would(self, older_than: datetime) -> str:
        return f"removed {counted(would_remove(older_than))}"

    def done(self, work: Removal) -> str:
        return f"removed {counted(work.removed)}"
