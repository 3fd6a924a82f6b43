"""manage.py count_again: make the tallies of the reports anew from the sealed record."""

from typing import Any

from django.core.management.base import BaseCommand

from broadcasts.reports import recount


class Command(BaseCommand):
    help = (
        "Count the sealed record again for the reports, a day at a time; the service may run. "
        "Needed once for a record that was sealed before there were reports."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        days = recount.days()
        counted = 0
        for number, day in enumerate(days, 1):
            counted += recount.count_day(day)
            self.stderr.write(
                f"\r{number:,} of {len(days):,} days, {counted:,} broadcasts", ending=""
            )
        self.stderr.write("")
        self.stdout.write(f"Counted {counted:,} broadcasts of {len(days):,} days.")
