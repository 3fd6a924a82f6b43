"""What sealing counts."""

from datetime import timedelta

import pytest

from broadcasts.domain.lifecycle import Status
from broadcasts.models import Broadcast
from broadcasts.reports import recount
from tests.archive.cast import NOON, seal

from .cast import everything, make_records

pytestmark = pytest.mark.django_db


def test_each_broadcast_counts_once_in_however_many_looks_it_is_sealed():
    make_records(40, NOON - timedelta(hours=5), timedelta(hours=4))
    Broadcast.objects.filter(status=Status.CLAIMED).update(ended_at=NOON)
    seal(limit=7)
    assert Broadcast.objects.filter(seal=None).exclude(status=Status.OPEN).count() == 0
    counted = everything()
    assert len(counted[0]) > 3
    for day in recount.days():
        recount.count_day(day)
    assert everything() == counted
