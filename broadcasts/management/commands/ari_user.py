"""manage.py ari_user: create or update the credentials of a candidate application."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from broadcasts.models import AriUser

from .asterisk_server import in_words


class Command(BaseCommand):
    help = "Create an ARI user or update the one of this name."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="whom candidates sign in as")
        parser.add_argument("--password", required=True)
        parser.add_argument(
            "--apps",
            default="",
            metavar="REGEX",
            help="which applications it may register and claim for, such as ^ivr-; empty: any",
        )
        parser.add_argument("--read-only", action="store_true", help="it may look, not act")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["password"]:
            raise CommandError("password: an empty one is no protection.")
        user = AriUser.objects.filter(name=options["name"]).first() or AriUser(name=options["name"])
        is_new = user.pk is None
        user.applications = options["apps"]
        user.read_only = options["read_only"]
        user.set_password(options["password"])
        try:
            user.full_clean()
        except ValidationError as error:
            raise CommandError(in_words(error)) from None
        user.save()
        self.stdout.write(f"{user.name}: {'created' if is_new else 'updated'}")
