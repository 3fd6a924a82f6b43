"""The chain of migrations takes a database that is in use along."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from broadcasts.models import ApplicationHour, Broadcast, ServerHour

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def migrate():
    """Migrate to a state of this application and return the applications' models there."""

    def migrate(name: str):
        executor = MigrationExecutor(connection)
        executor.migrate([("broadcasts", name)])
        return executor.loader.project_state([("broadcasts", name)]).apps

    yield migrate
    executor = MigrationExecutor(connection)
    executor.migrate(executor.loader.graph.leaf_nodes())


def test_broadcasts_of_the_first_version_stay_as_they_are(migrate):
    apps = migrate("0001_initial")
    now = timezone.now()
    server = apps.get_model("broadcasts", "AsteriskServer").objects.create(name="pbx")
    broadcast = apps.get_model("broadcasts", "Broadcast").objects.create(
        server=server,
        channel_id="1.1",
        channel_name="PJSIP/a",
        channel={},
        arguments_given=[],
        timeout_ms=500,
        opened_at=now,
        deadline=now,
    )
    apps.get_model("broadcasts", "Candidate").objects.create(
        broadcast=broadcast, application="ivr", position=1, reached_by="socket", offered_at=now
    )
    apps = migrate("0002_configuration")
    kept = apps.get_model("broadcasts", "Broadcast").objects.get()
    assert (kept.preset_name, kept.preset_version, kept.rounds, kept.round) == ("", None, [], 1)
    assert apps.get_model("broadcasts", "Candidate").objects.get().round == 1
    apps.get_model("broadcasts", "AsteriskServer").objects.get().save()


def test_claims_of_the_past_are_measured(migrate):
    apps = migrate("0002_configuration")
    now = timezone.now()
    server = apps.get_model("broadcasts", "AsteriskServer").objects.create(name="pbx")
    for number, claimed_at in enumerate([None, now + timedelta(milliseconds=12.5)]):
        apps.get_model("broadcasts", "Broadcast").objects.create(
            server=server,
            channel_id=f"1.{number}",
            channel_name="PJSIP/a",
            channel={},
            arguments_given=[],
            timeout_ms=500,
            opened_at=now,
            deadline=now,
            claimed_at=claimed_at,
        )
    migrate("0003_record_keeping")
    assert list(Broadcast.objects.order_by("pk").values_list("claim_ms", flat=True)) == [None, 12.5]


def test_what_was_counted_is_packed_and_counts_as_before(migrate):
    apps = migrate("0011_names_of_failed_sign_ins")
    server = apps.get_model("broadcasts", "AsteriskServer").objects.create(name="pbx")
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    of_server = {"claim_ms": {"73": 2, "-5": 1, "75": 3}, "timed_out_quarters": {}}
    for name, numbers in [("ServerHour", of_server), ("ApplicationHour", {"margin_ms": {"9": 4}})]:
        model = apps.get_model("broadcasts", name)
        model.objects.create(server=server, hour=hour, **numbers)
    migrate("0012_packed_numbers")
    kept = ServerHour.objects.get()
    assert (kept.claim_ms, kept.timed_out_quarters) == ({73: 2, -5: 1, 75: 3}, {})
    assert ApplicationHour.objects.get().margin_ms == {9: 4}
    apps = migrate("0011_names_of_failed_sign_ins")
    kept = apps.get_model("broadcasts", "ServerHour").objects.get()
    assert (kept.claim_ms, kept.timed_out_quarters) == tuple(of_server.values())
