"""Throw-away databases of both engines, each named by a DATABASE_URL of its own."""

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import psycopg
import pytest
from redis import Redis
from redis.exceptions import RedisError

ROOT = Path(__file__).resolve().parent.parent
POSTGRES = os.environ.get("TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432")

# What is copied for tests, until the run is over.
TEMPLATES = ExitStack()


def environment(database_url: str, **extra: str) -> dict[str, str]:
    """Return the environment of a process of ours that uses this database and nothing else."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("ARI_")}
    inherited.pop("REDIS_URL", None)
    return inherited | {
        "DATABASE_URL": database_url,
        "SECRET_KEY": "only-for-tests-" + "x" * 50,
        "PYTHONUNBUFFERED": "1",
        **extra,
    }


def manage(database_url: str, *arguments: str) -> str:
    """Run a management command to its end and return what it printed."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment(database_url),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@contextmanager
def database(engine: str, directory: Path) -> Iterator[str]:
    """Yield the DATABASE_URL of a new, migrated database."""
    template = migrated(engine)
    if engine == "sqlite":
        file = shutil.copy(template.removeprefix("sqlite:///"), directory)
        yield f"sqlite:///{file}"
        return
    with postgres_database(like=template) as url:
        yield url


@cache
def migrated(engine: str) -> str:
    """Return the DATABASE_URL of what every database is a copy of: migrating takes seconds."""
    if engine == "sqlite":
        url = f"sqlite:///{TEMPLATES.enter_context(TemporaryDirectory())}/test.sqlite3"
    else:
        url = TEMPLATES.enter_context(postgres_database())
    manage(url, "migrate", "-v0")
    return url


@contextmanager
def postgres_database(like: str = "") -> Iterator[str]:
    """Yield the DATABASE_URL of a new database, empty or like the one at that address."""
    template = urlsplit(like).path.strip("/") or "template1"
    name = f"broadcast_{uuid.uuid4().hex[:12]}"
    try:
        server = psycopg.connect(f"{POSTGRES}/postgres", autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as error:
        missing(f"no PostgreSQL at {POSTGRES}: {error}")
    with server:
        server.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        # None of them has to outlive the machine.
        server.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
        try:
            yield f"{POSTGRES}/{name}"
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def pass_on_postgresql(test: Path) -> None:
    """Run the other tests of a test's folder on a PostgreSQL database of their own."""
    with postgres_database() as url:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", str(test.parent), "--ignore", str(test)],
            cwd=ROOT,
            env=environment(url),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-5000:]


def redis_url() -> str:
    """Return a REDIS_URL that no other run of the tests uses at the same time."""
    server = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379")
    try:
        Redis.from_url(server, socket_connect_timeout=3).ping()
    except RedisError as error:
        missing(f"no Redis at {server}: {error}")
    return f"{server}/{os.getpid() % 15 + 1}"


def missing(what: str) -> None:
    """Skip a test for want of something; in CI, where all is installed, fail it."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)
