import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from django.test import override_settings

from tests.databases import TEMPLATES


def pytest_xdist_auto_num_workers() -> int:
    """Run one worker more than there are processors: tests of processes wait for one another."""
    return (os.cpu_count() or 1) + 1


def pytest_sessionfinish() -> None:
    TEMPLATES.close()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep SQLite's test database in a file.

    Threads that share one in memory are told "table is locked" where those of a file wait.
    """
    if connection.vendor == "sqlite":
        directory: Path = tmp_path_factory.mktemp("database")
        connection.settings_dict["TEST"]["NAME"] = str(directory / "test.sqlite3")


@pytest.fixture(scope="session", autouse=True)
def quick_hash() -> Iterator[None]:
    """Spend no time on passwords: the real hash takes longer than most tests."""
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield
