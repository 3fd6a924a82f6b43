"""What these tests show of the engine of the run, shown on PostgreSQL in any case."""

from pathlib import Path

import pytest

from tests.databases import pass_on_postgresql


@pytest.mark.postgres
@pytest.mark.timeout(600)
def test_the_ledger_writes_to_postgresql_as_well():
    pass_on_postgresql(Path(__file__))
