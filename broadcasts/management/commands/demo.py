"""Show the whole service at work: with a simulated Asterisk, callers and sample candidates."""

import os
import re
import secrets
import signal
import socket
import sys
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, connection

from broadcasts.domain.errors import in_a_line
from broadcasts.environment import save_server
from broadcasts.management.children import ChildEnded, Children
from broadcasts.models import AriUser, AsteriskServer

from .serve import parse_bind

ADMIN = "admin"
SERVER = "simulated"
ARI_USER = "demo"
SERVICE = "the service"
SIMULATOR = "the simulated Asterisk"

# Each candidate's time to think before a claim, and seconds of talk.
CANDIDATES = {
    "sales": ("--think", "10-150ms", "--talk", "4"),
    "support": ("--think", "20-200ms", "--talk", "6"),
    "ivr-main": ("--think", "5-120ms", "--talk", "2"),
}

LOG_LINE = re.compile(
    r"\S+ (?P<time>[\d:]+)\S* (?P<level>[A-Z]+) +(?P<logger>\S+): (?P<message>.*)"
)
BANNER = """
  The live board   {url}
  Sign in as       {admin}
  Password         {password}
                   {note}

Calls are coming in. Ctrl-C ends everything.
"""


class Command(BaseCommand):
    help = (
        "Set everything up and run the service with a simulated Asterisk, three sample candidates "
        "and calls coming in all the time."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--bind", default="127.0.0.1:8000", metavar="HOST:PORT")
        parser.add_argument("--rate", type=float, default=2.0, help="calls a second")

    def handle(self, *args: Any, bind: str, rate: float, **options: Any) -> None:
        host, port = parse_bind(bind)
        check_free(host, port)
        # SIGINT too: a shell has it ignored by what it starts in the background.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.default_int_handler)
        try:
            with suppress(KeyboardInterrupt):
                self._prepare_and_run(host, port, rate)
        except ChildEnded as ended:
            raise CommandError(str(ended)) from None
        except BrokenPipeError:
            # Nobody reads on, as behind `| head`: leave nothing to be written at exit either.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        else:
            self._say("Everything has ended.")

    def _prepare_and_run(self, host: str, port: int, rate: float) -> None:
        self._say("Preparing the database …")
        prepare_database()
        url = f"http://{bracketed(reachable(host))}:{port}"
        banner = BANNER.format(url=f"{url}/", admin=ADMIN, **first_sign_in())
        passwords = {name: make_ari_user(name) for name in CANDIDATES}
        connection.close()
        try:
            with Children(settings.BASE_DIR) as children:
                self._start_simulator(children, rate)
                self._start_service(children, host, port)
                self._say(banner)
                for name, password in passwords.items():
                    start_candidate(children, name, url, password)
                self._show_calls(children)
        finally:
            disable_server()

    def _start_simulator(self, children: Children, rate: float) -> None:
        """Start it, wait until it listens, and make it the service's Asterisk server."""
        password = secrets.token_urlsafe(12)
        arguments = ["--port", "0", "--rate", str(rate)]
        for name in CANDIDATES:
            arguments += ["--wait-for", name]
        children.start(SIMULATOR, "broadcasts.simulator", *arguments, ARI_PASSWORD=password)
        while True:
            line = children.next_line()
            if line and (found := re.search(r"http://[\w.]+:\d+", line.text)):
                break
        save_server(
            SERVER,
            kind=AsteriskServer.Kind.DIAL_IN,
            url=found[0],
            username="ari",
            password=password,
            application="broadcast",
            enabled=True,
        )
        connection.close()

    def _start_service(self, children: Children, host: str, port: int) -> None:
        """Start it and wait until it listens, which it does once it is ready."""
        bind = f"{bracketed(host)}:{port}"
        # No other Asterisk: the sample candidates would take its calls.
        children.start(SERVICE, "manage", "serve", "--bind", bind, ARI_URL="")
        while not listens(host, port):
            children.next_line(timeout=0.1)

    def _show_calls(self, children: Children) -> None:
        """Print one line per call, and whatever the service warns of."""
        shown = False
        while True:
            line = children.next_line()
            if line is None or line.child != SERVICE:
                continue
            found = LOG_LINE.fullmatch(line.text)
            if found is None:
                if shown:  # A record's further lines go with its first.
                    self._say(line.text)
                continue
            is_call = found["logger"] == "broadcasts.calls"
            shown = is_call or found["level"] != "INFO"
            if shown:
                self._say(f"{found['time']} {found['message']}" if is_call else line.text)

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def check_free(host: str, port: int) -> None:
    """Raise CommandError, with what to do, unless an address can be listened at."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        raise CommandError(
            f"{host}:{port} cannot be used ({os.strerror(error.errno or 0)}). Stop what uses it, "
            f"or choose another address: `make run ARGS='--bind 127.0.0.1:{port + 1}'`."
        ) from None


def prepare_database() -> None:
    """Make or update the tables; raises CommandError where the demo could do harm."""
    try:
        call_command("migrate", verbosity=0, interactive=False)
    except DatabaseError as error:
        raise CommandError(f"The database cannot be used: {in_a_line(error)}") from error
    others = AsteriskServer.objects.filter(enabled=True).exclude(name=SERVER)
    if names := ", ".join(others.values_list("name", flat=True)):
        raise CommandError(
            f"This database is used with an Asterisk ({names}), whose callers the sample "
            "candidates would answer. Give the demo a database of its own: "
            "`DATABASE_URL=sqlite:///data/demo.sqlite3 make run`."
        )


def first_sign_in() -> dict[str, str]:
    """Make the first superuser if there is none of its name; returns what to show of its password.

    Only a hash of the password is kept, so it is known here and now alone.
    """
    python = min(sys.executable, os.path.relpath(sys.executable), key=len)
    reset = f"{python} manage.py changepassword {ADMIN}"
    users = get_user_model()._default_manager
    if users.filter(username=ADMIN).exists():
        return {"password": "as it was shown at the first run", "note": f"(to reset it: {reset})"}
    password = secrets.token_urlsafe(12)
    users.create_superuser(ADMIN, password=password)
    return {"password": password, "note": f"(shown only now; to reset it: {reset})"}


def make_ari_user(application: str) -> str:
    """Give one sample candidate new credentials; returns the password, known here and now alone."""
    name, password = f"{ARI_USER}-{application}", secrets.token_urlsafe(12)
    user = AriUser.objects.filter(name=name).first() or AriUser(name=name)
    user.applications = f"^{application}$"
    user.set_password(password)
    user.save()
    return password


def start_candidate(children: Children, name: str, url: str, password: str) -> None:
    """Start one sample candidate; it connects as soon as it can."""
    children.start(
        f"the candidate {name}",
        "broadcasts.simulator.candidate",
        *("--url", url, "--user", f"{ARI_USER}-{name}", "--app", name),
        *CANDIDATES[name],
        ARI_PASSWORD=password,
    )


def disable_server() -> None:
    """Take the simulated Asterisk out of use, so that no later service looks for it in vain."""
    for server in AsteriskServer.objects.filter(name=SERVER):
        server.enabled = False
        server.save()


def listens(host: str, port: int) -> bool:
    """Whether something accepts connections at an address."""
    try:
        socket.create_connection((reachable(host), port), timeout=1).close()
    except OSError:
        return False
    return True


def reachable(host: str) -> str:
    """Return where a server that listens at `host` can be reached from this machine."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def bracketed(host: str) -> str:
    """Return a host as addresses write it."""
    return f"[{host}]" if ":" in host else host
