"""`manage.py demo`, which is `make run`, run for real."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import psutil
import pytest
import requests
from django.contrib.auth import get_user_model
from django.core.management.base import CommandError

from broadcasts.management.commands.demo import first_sign_in, prepare_database
from broadcasts.models import AsteriskServer
from tests.builders import make_server
from tests.databases import ROOT, environment

WON = re.compile(r"offered to .*; (sales|support|ivr-main) won after [\d.]+ ms")
CHILDREN = 5  # simulated Asterisk, service, three candidates
PATIENCE_SECONDS = 30


class Demo:
    """A running demo in a process group of its own, as a terminal has it.

    It inherits SIGINT as ignored, as from a script that starts it in the background.
    """

    def __init__(self, directory: Path, errors: IO[str]) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.lines: list[str] = []
        self.process = subprocess.Popen(
            [
                sys.executable,
                "manage.py",
                "demo",
                "--bind",
                f"127.0.0.1:{self.port}",
                "--rate",
                "9",
            ],
            cwd=ROOT,
            # PYTHONUNBUFFERED would hide a demo that does not flush its lines.
            env=environment(f"sqlite:///{directory / 'demo.sqlite3'}") | {"PYTHONUNBUFFERED": ""},
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            start_new_session=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        )

    def read_until_won(self, calls: int) -> None:
        """Read its lines until so many calls were won."""
        assert self.process.stdout
        for line in self.process.stdout:
            self.lines.append(line)
            calls -= bool(WON.search(line))
            if calls == 0:
                return
        pytest.fail("it ended before the calls were won:\n" + "".join(self.lines))

    def children(self) -> list[psutil.Process]:
        """Every process that it has started, theirs included."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def ended(self) -> int:
        """Wait for its end; returns the exit code."""
        self.lines += self.process.communicate(timeout=PATIENCE_SECONDS)[0].splitlines()
        return self.process.returncode


@pytest.fixture
def errors(tmp_path: Path) -> Iterator[IO[str]]:
    with (tmp_path / "stderr").open("w+") as file:
        yield file


@pytest.fixture
def demo(tmp_path: Path, errors: IO[str]) -> Iterator[Demo]:
    running = Demo(tmp_path, errors)
    yield running
    if running.process.poll() is None:
        running.process.kill()
        running.process.communicate()


def printed(errors: IO[str]) -> str:
    errors.seek(0)
    return errors.read()


def signs_in(demo: Demo) -> bool:
    """Whether the printed name and password open the live board."""
    text = "".join(demo.lines)
    name = re.search(r"Sign in as +(\S+)", text)
    password = re.search(r"Password +(\S+)", text)
    assert demo.url in text and name and password, text
    with requests.Session() as browser:
        form = browser.get(f"{demo.url}/", timeout=PATIENCE_SECONDS)
        answer = browser.post(
            form.url,
            {
                "username": name[1],
                "password": password[1],
                "csrfmiddlewaretoken": browser.cookies["csrftoken"],
                "next": "/",
            },
            timeout=PATIENCE_SECONDS,
        )
    return answer.ok and answer.url == f"{demo.url}/"


def test_calls_are_won_until_ctrl_c_ends_everything(demo: Demo, errors: IO[str]) -> None:
    demo.read_until_won(5)
    children = demo.children()
    assert len(children) == CHILDREN
    assert signs_in(demo)
    os.killpg(demo.process.pid, signal.SIGINT)
    assert demo.ended() == 0
    assert not any(child.is_running() for child in children)
    assert printed(errors) == ""


def test_no_child_outlives_a_killed_demo(demo: Demo) -> None:
    demo.read_until_won(1)
    children = demo.children()
    demo.process.kill()
    _, alive = psutil.wait_procs(children, PATIENCE_SECONDS)
    assert not alive


def test_a_child_that_dies_ends_the_rest(demo: Demo, errors: IO[str]) -> None:
    demo.read_until_won(1)
    children = demo.children()
    candidates = (child for child in children if "--app" in child.cmdline())
    support = next(child for child in candidates if "support" in child.cmdline())
    support.kill()
    assert demo.ended() == 1
    assert not any(child.is_running() for child in children)
    assert "the candidate support has ended (signal 9)" in printed(errors)
    assert "Traceback" not in printed(errors)


def test_a_taken_address_is_refused_with_what_to_do(tmp_path: Path, errors: IO[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        done = subprocess.run(
            [sys.executable, "manage.py", "demo", "--bind", bind],
            cwd=ROOT,
            env=environment(f"sqlite:///{tmp_path / 'demo.sqlite3'}"),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert f"{bind} cannot be used (Address already in use)" in done.stderr
    assert "--bind" in done.stderr


@pytest.mark.django_db
def test_the_first_sign_in_is_made_and_shown_once() -> None:
    shown = first_sign_in()
    admin = get_user_model().objects.get(username="admin")
    assert admin.is_superuser
    assert admin.check_password(shown["password"])
    again = first_sign_in()
    assert shown["password"] not in again.values()
    assert "manage.py changepassword admin" in again["note"]
    admin.refresh_from_db()
    assert admin.check_password(shown["password"])


@pytest.mark.django_db
def test_a_database_that_is_used_with_an_asterisk_is_left_alone() -> None:
    make_server("pbx")
    with pytest.raises(CommandError, match=r"an Asterisk \(pbx\).*DATABASE_URL="):
        prepare_database()
    AsteriskServer.objects.update(enabled=False)
    prepare_database()
