"""The admin on PostgreSQL: its core tests once more, in a run of their own."""

import subprocess
import sys

import pytest

from tests.databases import ROOT, environment, postgres_database

# What differs there: statements of our own, locks, types and the order of rows.
FILES = (
    "tests/test_configuration_io.py",
    "tests/test_replay.py",
    "tests/broker/test_peers.py",
    "tests/models/test_bulk.py",
    "tests/admin/test_changes.py",
    "tests/admin/test_presets.py",
    "tests/admin/test_rules.py",
    "tests/admin/test_tools_replay.py",
)


@pytest.mark.postgres
@pytest.mark.timeout(300)
def test_the_admin_does_the_same_on_postgresql():
    with postgres_database() as url:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *FILES],
            cwd=ROOT,
            env=environment(url),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stdout
