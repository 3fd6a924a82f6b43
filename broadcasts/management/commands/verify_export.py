"""manage.py verify_export: whether a package is as it was made. Takes no database."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from broadcasts.archive.signing import fingerprint
from broadcasts.exports.verify import verify

UNREADABLE = 2


class Command(BaseCommand):
    help = (
        "Check a package: 0 when nothing was changed, 1 when something is wrong with it, "
        "2 when it cannot be checked. Needs no database."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--key", default="", metavar="PUBLIC_KEY", help="of whoever made it, if not this one"
        )

    def handle(self, *args: Any, file: Path, key: str, **options: Any) -> None:
        try:
            fingerprint(key)
        except ValueError as error:
            raise CommandError("--key takes a public key in base64.", returncode=UNREADABLE) from (
                error
            )
        try:
            findings = verify(file, key)
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}.", returncode=UNREADABLE) from error
        if findings.wrong:
            raise CommandError("\n".join([f"{file} is not as it was made:", *findings.wrong]))
        self.tell(file, findings.manifest)

    def tell(self, file: Path, manifest: dict[str, Any]) -> None:
        """Say what was found whole."""
        self.stdout.write(
            f"{file} is as {manifest['product']} {manifest['version']} made it at "
            f"{manifest['made_at']} for {manifest['made_for']}: {manifest['what']}, "
            f"{manifest['filter']['in_words']}; numbers {manifest['numbers']}."
        )
        for one in manifest["files"]:
            self.stdout.write(f"{one['name']}: {one['rows']} rows, SHA-256 {one['sha256']}")
        self.stdout.write(f"The record's chain then ended at {manifest['anchor']}.")
