"""Databases with the credentials of candidates, made once and copied for every service."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tests.databases import database, manage, postgres_database


class Template:
    """Copies databases of either engine; the first one of each takes a while.

    Args:
        directory: for SQLite's file.
        stack: keeps what is to be removed in the end.
    """

    def __init__(self, directory: Path, stack: ExitStack) -> None:
        self._directory = directory
        self._stack = stack
        self._urls: dict[str, str] = {}

    @contextmanager
    def copied(self, engine: str, directory: Path) -> Iterator[str]:
        """Yield the DATABASE_URL of a new database."""
        if engine not in self._urls:
            self._urls[engine] = self._stack.enter_context(database(engine, self._directory))
            add_users(self._urls[engine])
        if engine == "sqlite":
            file = shutil.copy(self._urls[engine].removeprefix("sqlite:///"), directory)
            yield f"sqlite:///{file}"
            return
        with postgres_database(like=self._urls[engine]) as url:
            yield url


def add_users(database_url: str) -> None:
    """Create the candidates' credentials."""
    for name, *rights in (["candidate"], ["reader", "--read-only"], ["limited", "--apps", "^ivr-"]):
        manage(database_url, "ari_user", name, "--password", "secret", *rights)
