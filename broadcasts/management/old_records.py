"""What the commands that treat old records have in common."""

import getpass
import time
from argparse import ArgumentTypeError
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from broadcasts.archive.chain import Broken
from broadcasts.archive.upkeep import Work, days_ago
from broadcasts.management.progress import Progress

LONGEST = 36_500
# Between two batches, in which calls are not to wait.
BREATH_SECONDS = 0.02


def days(text: str) -> int:
    """Read a number of days above 0. Raises ArgumentTypeError."""
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= LONGEST):
        raise ArgumentTypeError(f"takes a number of days from 1 to {LONGEST}, not {text!r}")
    return int(text)


class OldRecordsCommand(BaseCommand):
    """Does some work on what was finished a number of days ago, which a setting says by default."""

    setting: str
    progress: str

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--older-than", type=days, metavar="DAYS", help=f"instead of {self.setting}"
        )
        parser.add_argument("--dry-run", action="store_true", help="say how many, change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        age = options["older_than"] or getattr(settings, self.setting)
        if not age:
            raise CommandError(f"Say --older-than DAYS, or set {self.setting}.")
        older_than = days_ago(age)
        if options["dry_run"]:
            self.stdout.write(f"Would have {self.would(older_than)}.")
            return
        work = self.work(older_than, f"{getpass.getuser()}, by command")
        try:
            self._do(work)
        except Broken as error:
            raise CommandError(f"Has {self.done(work)}; then {error}.") from error
        self.stdout.write(f"Has {self.done(work)}.")

    def work(self, older_than: datetime, by: str) -> Any:
        """Return the work to do."""
        raise NotImplementedError

    def would(self, older_than: datetime) -> str:
        """Return in words what the work would do."""
        raise NotImplementedError

    def done(self, work: Any) -> str:
        """Return in words what the work has done."""
        raise NotImplementedError

    def _do(self, work: Work) -> None:
        progress, seals = Progress(self.progress), 0
        try:
            while step := work.step():
                seals += step
                progress(seals)
                time.sleep(BREATH_SECONDS)
        finally:
            work.finish()
            progress.end()


def counted(numbers: dict[str, int]) -> str:
    """Return how many of each kind, in words."""
    return ", ".join(f"{count:,} {kind}" for kind, count in numbers.items()) or "nothing"
