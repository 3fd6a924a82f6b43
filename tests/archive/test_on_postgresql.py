"""What these tests show of the engine of the run, shown on PostgreSQL in any case."""

from pathlib import Path

import pytest

from tests.databases import database, manage, pass_on_postgresql

RECORD = """
from broadcasts.archive import facts
from broadcasts.models import Broadcast, Candidate, ClaimAttempt
from tests.archive.cast import finished
channel = {"b": [1.5, 1e-7, 12.0, {"z": None, "a": "é"}], "a": 2**60}
finished(1 / 3, claim_ms=0.1 + 0.2, channel=channel, talk_ms=2**40)
row, = Broadcast.objects.values()
parts = [list(model.objects.order_by("pk").values()) for model in (Candidate, ClaimAttempt)]
print("digest", facts.digest_of_broadcast(row, *parts).hex())
"""


@pytest.mark.postgres
@pytest.mark.timeout(600)
def test_the_archive_is_kept_on_postgresql_as_well():
    pass_on_postgresql(Path(__file__))


@pytest.mark.postgres
def test_a_record_has_the_same_digest_on_both_engines(tmp_path):
    digests = set()
    for engine in ("sqlite", "postgresql"):
        with database(engine, tmp_path) as url:
            *_, digest = manage(url, "shell", "-c", RECORD).splitlines()
            digests.add(digest)
    assert len(digests) == 1
    assert digest.startswith("digest ")
