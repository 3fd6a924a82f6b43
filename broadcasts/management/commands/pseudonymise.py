"""manage.py pseudonymise: pseudonyms for callers, as the service puts them in every day."""

from datetime import datetime

from broadcasts.archive.pseudonyms import Replacement, would_replace
from broadcasts.management.old_records import OldRecordsCommand


class Command(OldRecordsCommand):
    help = (
        "Replace callers' numbers and names by pseudonyms, for good, in sealed broadcasts that are "
        "older than the limit. Their seals stay valid."
    )
    setting = "PSEUDONYMISE_DAYS"
    progress = "Seals gone through"

    def work(self, older_than: datetime, by: str) -> Replacement:
        return Replacement(older_than, by)

    def would(self, older_than: datetime) -> str:
        return f"put pseudonyms into {would_replace(older_than):,} broadcasts"

    def done(self, work: Replacement) -> str:
        return f"put pseudonyms into {work.replaced:,} broadcasts"
