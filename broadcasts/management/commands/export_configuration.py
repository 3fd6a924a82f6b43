"""manage.py export_configuration: presets and rules as text."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from broadcasts.configuration_io import FORMATS, export_document


class Command(BaseCommand):
    help = "Print presets and rules, ready for import_configuration."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=FORMATS, default="yaml")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(export_document(options["format"]), ending="")
