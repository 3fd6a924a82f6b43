"""Mail as it goes over the wire, to a server that listens."""

import email
import smtplib
import socketserver
import threading
from collections.abc import Iterator
from email import policy

import pytest
from django.core.mail import EmailMessage

from broadcasts.exports import delivery
from broadcasts.exports.tables import ExportRefused


class Conversation(socketserver.StreamRequestHandler):
    """Speaks as much of SMTP as a client needs to send a mail."""

    def handle(self) -> None:
        self.say("220 here")
        while line := self.rfile.readline().decode().strip():
            command = line.split(maxsplit=1)[0].upper()
            if command == "DATA":
                self.say("354 go on")
                self.server.mails.append(self.read_mail())
            elif command == "RCPT" and "refused@" in line:
                self.say("550 nobody of that name")
                continue
            self.say("221 bye" if command == "QUIT" else "250 fine")
            if command == "QUIT":
                return

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())

    def read_mail(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) != b".\r\n":
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)


@pytest.fixture
def post(settings) -> Iterator[list[bytes]]:
    """The mails that came in at a server of our own."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Conversation) as server:
        server.mails = []
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.server_address
        yield server.mails
        server.shutdown()
        thread.join()


def a_mail(to: str = "ada@example.org") -> EmailMessage:
    mail = EmailMessage("Stasis Broadcast: Failed calls", "3 rows.\n", to=[to])
    mail.attach("failed-calls.zip", b"PK\x00.\r\n.", "application/zip")
    return mail


def test_a_package_arrives_as_it_was_sent(post):
    delivery.send(a_mail())
    received = email.message_from_bytes(post[0], policy=policy.default)
    assert received["To"] == "ada@example.org"
    (attached,) = received.iter_attachments()
    assert attached.get_filename() == "failed-calls.zip"
    assert attached.get_content() == b"PK\x00.\r\n."


def test_what_the_server_refuses_is_said_after_a_few_tries(post, monkeypatch):
    monkeypatch.setattr(delivery, "PAUSES", (0.0,))
    with pytest.raises(ExportRefused, match="nobody of that name"):
        delivery.send(a_mail("refused@example.org"))
    assert post == []


def test_a_server_that_comes_back_gets_the_mail(post, monkeypatch):
    pauses, send, tries = [], EmailMessage.send, []

    def at_first_away(self):
        tries.append(self)
        if len(tries) == 1:
            raise smtplib.SMTPServerDisconnected("gone")
        return send(self)

    monkeypatch.setattr(EmailMessage, "send", at_first_away)
    monkeypatch.setattr(delivery.time, "sleep", pauses.append)
    delivery.send(a_mail())
    assert len(post) == 1
    assert pauses == [delivery.PAUSES[0]]


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("", []),
        ("ada@example.org", ["ada@example.org"]),
        ("Ada <ada@example.org>,bo@example.org ", ["ada@example.org", "bo@example.org"]),
    ],
)
def test_recipients_are_separated_by_commas(text, addresses):
    assert delivery.recipients(text) == addresses
