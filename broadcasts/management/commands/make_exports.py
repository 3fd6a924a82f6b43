"""manage.py make_exports: make every export and scheduled report that is due, and end."""

from typing import Any

from django.core.management.base import BaseCommand

from broadcasts.exports.maker import make_due


class Command(BaseCommand):
    help = "Make every export and scheduled report that is due, and end. The service runs it."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        make_due()
