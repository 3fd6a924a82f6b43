"""How far a command is: one line of a terminal, and nothing where there is none."""

import io
import sys

import pytest

from broadcasts.management import progress
from broadcasts.management.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def on_terminal(monkeypatch):
    """Return a function that makes standard error a terminal; called by the test, as pytest puts
    its own there once fixtures are made."""

    def shown(seconds: float) -> Terminal:
        monkeypatch.setattr(progress, "SECONDS", seconds)
        monkeypatch.setattr(sys, "stderr", terminal := Terminal())
        return terminal

    return shown


def test_a_terminal_shows_the_last_of_it_and_then_nothing(on_terminal):
    terminal = on_terminal(seconds=0)
    told = Progress("Seals checked")
    told(900, 2000)
    told(1800, 2000)
    assert terminal.getvalue().split("\r")[1:] == [
        "Seals checked: 900 of 2,000\x1b[K",
        "Seals checked: 1,800 of 2,000\x1b[K",
    ]
    told.end()
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_a_terminal_is_told_no_more_often_than_people_can_look(on_terminal):
    terminal = on_terminal(seconds=3600)
    told = Progress("Seals checked")
    for done in range(1, 1000):
        told(done)
    assert terminal.getvalue().count("\r") <= 1


def test_elsewhere_nothing_is_told(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    told = Progress("Seals checked")
    told(900)
    told.end()
    assert sys.stderr.getvalue() == ""
