"""Many rows at once leave what saving each of them would leave."""

import pytest
from simple_history.models import HistoricalRecords

from broadcasts.models import Preset, Rule
from broadcasts.models.bulk import Writing
from tests.builders import make_server, make_user

pytestmark = pytest.mark.django_db

# What is never the same twice.
OWN = {"id", "name", "preset_id", "changed_at", "history_id", "history_date"}


@pytest.fixture(autouse=True)
def by_alice(rf):
    """Make every change a change of alice's, as the middleware does for a request of hers."""
    request = rf.get("/")
    request.user = make_user("alice")
    HistoricalRecords.context.request = request
    yield
    del HistoricalRecords.context.request


def at_once(how: str, *rows, **options) -> None:
    writing = Writing("a reason")
    getattr(writing, how)(rows, **options)
    writing.execute()


def one_by_one(how: str, *rows) -> None:
    for row in rows:
        row._change_reason = "a reason"
        getattr(row, how)()


def left(model, name: str) -> tuple[list[dict], list[dict]]:
    """Return the row of a name and its history, without what is never the same twice."""
    kept = model.history.filter(name=name).order_by("history_id").values()
    return tuple(
        [{key: value for key, value in row.items() if key not in OWN} for row in rows]
        for rows in (model.objects.filter(name=name).values(), kept)
    )


def presets() -> list[Preset]:
    values = {"rounds": [{"app_filter": "^ü-", "timeout_ms": 5}], "notify_claimed": True}
    return [Preset(name=name, **values) for name in ("at-once", "one-by-one")]


def test_presets_and_their_history_are_the_same_either_way():
    first, second = presets()
    at_once("add", first)
    one_by_one("save", second)
    assert left(Preset, "at-once") == left(Preset, "one-by-one")

    first = Preset.objects.get(name="at-once")
    first.args = second.args = "sales:high"
    at_once("change", first, names=["args"])
    one_by_one("save", second)
    assert left(Preset, "at-once") == left(Preset, "one-by-one")
    assert Preset.objects.get(name="at-once").version == 2

    at_once("remove", first)
    one_by_one("delete", second)
    assert left(Preset, "at-once") == left(Preset, "one-by-one")
    assert not Preset.objects.exists()


def test_rules_and_their_history_are_the_same_either_way():
    preset = Preset.objects.create(name="sales")
    values = {"preset": preset, "server": make_server(), "position": 7, "extension": "_6XX"}
    first, second = (Rule(name=name, **values) for name in ("at-once", "one-by-one"))
    at_once("add", first)
    one_by_one("save", second)
    assert left(Rule, "at-once") == left(Rule, "one-by-one")
    assert Rule.objects.get(name="at-once").preset == preset

    first.server = second.server = None
    at_once("change", first, names=["server"])
    one_by_one("save", second)
    assert left(Rule, "at-once") == left(Rule, "one-by-one")


def test_a_rule_may_be_written_with_the_new_preset_that_it_names():
    preset = Preset(name="fresh")
    writing = Writing()
    writing.add([preset])
    writing.add([Rule(name="all", preset=preset, position=1)])
    writing.execute()
    assert Rule.objects.get().preset.name == "fresh"
    assert Rule.history.get().preset_id == Rule.objects.get().preset_id
