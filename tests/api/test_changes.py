"""The configuration's changes over the API."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from broadcasts.history.changes import KEPT, entries_of
from broadcasts.models import Preset
from broadcasts.models.history import for_reason
from tests.admin.cast import CANDIDATE_PASSWORD, SERVER_PASSWORD, make_ari_user
from tests.api.cast import role_of
from tests.builders import make_preset, make_rule, make_server

pytestmark = pytest.mark.django_db

CHANGES = "/api/v1/changes/"


@pytest.fixture(autouse=True)
def nothing_yet(auditor):
    """Forget what the fixtures themselves have changed."""
    for model in KEPT:
        entries_of(model).objects.all().delete()


def named(rows) -> list[tuple[str, str, str]]:
    return [(row["of"], row["name"], row["change"]) for row in rows]


def test_a_change_is_told_with_who_what_and_why(auditor):
    preset = make_preset("sales", "^a-")
    with for_reason("gold first"):
        preset.rounds = [{"app_filter": "^gold-", "timeout_ms": 500}]
        preset.save()
    entries_of(Preset).objects.update(changed_by="ada")
    row = auditor.rows(CHANGES)[0]
    assert parse_datetime(row.pop("at")) <= timezone.now()
    assert row == {
        "by": "ada",
        "of": "preset",
        "name": "sales",
        "change": "changed",
        "reason": "gold first",
        "differences": [{"field": "Rounds", "old": "^a- for 500 ms", "new": "^gold- for 500 ms"}],
    }


def test_a_history_takes_a_permission_of_its_own(auditor):
    make_rule("all", make_preset("sales"))
    assert {row["of"] for row in auditor.rows(CHANGES)} == {"rule", "preset"}
    role = role_of("auditor")
    role.permissions.remove(role.permissions.get(codename="view_historicalpreset"))
    assert {row["of"] for row in auditor.rows(CHANGES)} == {"rule", "group"}
    role.permissions.remove(*role.permissions.filter(codename__startswith="view_historical"))
    assert auditor.get(CHANGES).status_code == 403


def test_no_secret_is_told(auditor):
    make_server(password=SERVER_PASSWORD)
    make_ari_user("ivr")
    told = auditor.get(CHANGES).content.decode()
    assert "ivr" in told
    assert SERVER_PASSWORD not in told
    assert CANDIDATE_PASSWORD not in told
    assert "argon2" not in told


def test_changes_are_found_by_what_who_and_when(auditor):
    make_rule("all", make_preset("sales"))
    entries_of(Preset).objects.update(changed_by="ada")
    assert named(auditor.rows(CHANGES, of="rule")) == [("rule", "all", "created")]
    assert named(auditor.rows(CHANGES, by="ada")) == [("preset", "sales", "created")]
    assert len(auditor.rows(CHANGES, of=["rule", "preset"], period="15m")) == 2
    assert auditor.rows(CHANGES, since=(timezone.now() + timedelta(hours=1)).isoformat()) == []
    assert auditor.refused(CHANGES, of="caller", since="1066-10-14T00:00:00Z", wh="x") == {"wh"}
    assert auditor.refused(CHANGES, of="caller") == {"of"}
    assert auditor.refused(CHANGES, since="1066-10-14T00:00:00Z") == {"since"}


def test_pages_of_many_histories_leave_nothing_out_and_tell_nothing_twice(auditor):
    for number in range(5):
        make_rule(f"rule-{number}", make_preset(f"preset-{number}"))
        Group.objects.create(name=f"group-{number}")
    # All at the same moment, some with the same number.
    for model in KEPT:
        entries_of(model).objects.update(history_date=timezone.now().replace(microsecond=0))
    whole, page = named(auditor.rows(CHANGES)), auditor.get(CHANGES, page_size=4).json()
    seen = named(page["results"])
    while page["next"]:
        page = auditor.client.get(page["next"]).json()
        seen += named(page["results"])
    assert len(whole) == 15
    assert seen == whole
    assert auditor.refused(CHANGES, cursor="cD1uZXZlcg==") == {"cursor"}


def test_a_page_takes_as_many_queries_however_many_there_are(auditor):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            auditor.rows(CHANGES)
        return len(captured)

    make_rule("first", make_preset("one"))
    before = queries()
    for number in range(10):
        make_rule(f"rule-{number}", make_preset(f"preset-{number}"))
    assert queries() == before
