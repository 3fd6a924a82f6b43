"""manage.py asterisk_server: create or update an Asterisk server."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from broadcasts.environment import save_server
from broadcasts.models import AsteriskServer


class Command(BaseCommand):
    help = "Create an Asterisk server or update the one of this name."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="our own name for it")
        parser.add_argument(
            "--username", required=True, help="its ARI user, or whom it dials in as"
        )
        parser.add_argument("--password", required=True)
        parser.add_argument("--url", default="", help="such as http://127.0.0.1:8088")
        parser.add_argument(
            "--outbound", action="store_true", help="it dials us, at /asterisk/NAME/"
        )
        parser.add_argument(
            "--app", default="broadcast", help="the application that the dialplan names in Stasis()"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        kind = AsteriskServer.Kind.OUTBOUND if options["outbound"] else AsteriskServer.Kind.DIAL_IN
        try:
            server, is_new = save_server(
                options["name"],
                kind=kind,
                url=options["url"],
                username=options["username"],
                password=options["password"],
                application=options["app"],
            )
        except ValidationError as error:
            raise CommandError(in_words(error)) from None
        self.stdout.write(f"{server.name}: {'created' if is_new else 'updated'}")


def in_words(error: ValidationError) -> str:
    """Return every message of a refused model, each with its field."""
    return "\n".join(
        f"{field}: {message}"
        for field, messages in error.message_dict.items()
        for message in messages
    )
