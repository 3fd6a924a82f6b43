"""Make a record of broadcasts that never were, for measuring and for trying out."""

from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction
from django.utils import timezone

from broadcasts.management.made_record import Maker, batches, write
from broadcasts.models import AsteriskServer, Broadcast


def at_least_one(text: str) -> int:
    """Read a whole number above 0. Raises ArgumentTypeError."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError(f"takes a whole number from 1 on, not {text!r}")
    return int(text)


class Command(BaseCommand):
    help = (
        "Make a record of broadcasts that never were, with candidates and claim attempts, of a "
        "disabled server 'made'. Not for a database whose record is real."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--broadcasts", type=at_least_one, default=10_000, metavar="N")
        parser.add_argument("--days", type=at_least_one, default=90, help="how far back it reaches")
        parser.add_argument("--seed", type=int, default=1, help="the same seed, the same record")

    def handle(self, *args: Any, broadcasts: int, days: int, seed: int, **options: Any) -> None:
        server, _ = AsteriskServer.objects.get_or_create(
            name="made", defaults={"url": "http://127.0.0.1:8088", "enabled": False}
        )
        newest = Broadcast.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        rows = done = 0
        for made in batches(Maker(server, timezone.now(), days, seed), broadcasts, newest + 1):
            with transaction.atomic():
                rows += write(made)
            done += len(made)
            if self.stderr.isatty():
                self.stderr.write(f"\r{done:,} of {broadcasts:,} broadcasts", ending="")
        self.stdout.write(f"Made {done:,} broadcasts: {rows:,} rows in all.")
