from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from broadcasts.models import AsteriskServer

pytestmark = pytest.mark.django_db

CREDENTIALS = ("--username", "ari", "--password", "s3cret")


def asterisk_server(*arguments: str) -> str:
    output = StringIO()
    call_command("asterisk_server", *arguments, stdout=output)
    return output.getvalue()


def test_a_server_that_we_dial_is_created() -> None:
    said = asterisk_server("pbx1", *CREDENTIALS, "--url", "http://192.0.2.1:8088")
    server = AsteriskServer.objects.get()
    assert said == "pbx1: created\n"
    assert (server.name, server.kind, server.url) == ("pbx1", "dial_in", "http://192.0.2.1:8088")
    assert (server.username, server.password) == ("ari", "s3cret")
    assert server.application == "broadcast"


def test_a_server_that_dials_us_needs_no_address() -> None:
    asterisk_server("pbx1", *CREDENTIALS, "--outbound", "--app", "calls")
    server = AsteriskServer.objects.get()
    assert (server.kind, server.url, server.application) == ("outbound", "", "calls")


def test_a_server_that_exists_is_updated() -> None:
    asterisk_server("pbx1", *CREDENTIALS, "--url", "http://192.0.2.1:8088")
    said = asterisk_server("pbx1", *CREDENTIALS, "--outbound")
    assert said == "pbx1: updated\n"
    assert AsteriskServer.objects.get().kind == "outbound"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("pbx1",), "url: A server that we connect to needs its address."),
        (("pbx1", "--url", "pbx1:8088"), "url: Use an address such as"),
        (("pbx one", "--outbound"), "name: Use letters, digits, dots, dashes and underscores"),
        (("pbx1", "--outbound", "--password", ""), "password: This field cannot be blank."),
        (("pbx1", "--outbound", "--app", ""), "application: This field cannot be blank."),
    ],
)
def test_what_cannot_be_used_is_named(arguments: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(CommandError, match=complaint):
        asterisk_server(*CREDENTIALS, *arguments)
    assert not AsteriskServer.objects.exists()
