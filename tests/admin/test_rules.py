"""The order of rules: dragged, typed, and kept whatever their number."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from broadcasts.models import Preset, Revision, Rule
from tests.admin.cast import visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def rules() -> dict[str, Rule]:
    preset = Preset.objects.create(name="sales")
    return {name: Rule.objects.create(name=name, preset=preset) for name in "abcde"}


def order() -> str:
    return "".join(Rule.objects.values_list("name", flat=True))


def drop(rule, **place):
    address = reverse("admin:broadcasts_rule_move", args=[rule.pk])
    return visitor("admin").post(address, {side: other.pk for side, other in place.items()})


@pytest.mark.parametrize(
    ("moved", "side", "other", "expected"),
    [
        ("d", "before", "b", "adbce"),
        ("a", "before", "d", "bcade"),
        ("a", "after", "e", "bcdea"),
        ("e", "after", "a", "aebcd"),
        ("c", "before", "d", "abcde"),
    ],
)
def test_a_rule_lands_where_it_was_dropped(rules, moved, side, other, expected):
    answer = drop(rules[moved], **{side: rules[other]})
    assert order() == expected
    assert answer.json() == {"position": expected.index(moved) + 1}


def test_a_move_takes_effect_with_the_next_call_and_is_kept_once(rules):
    before, kept = Revision.current(), Rule.history.count()
    drop(rules["e"], before=rules["a"])
    assert Revision.current() == before + 1
    assert Rule.history.count() == kept + 1
    assert Rule.history.latest().history_change_reason == "moved from 5 to 1"


def test_rules_that_share_a_position_are_told_apart(rules):
    Rule.objects.update(position=1)
    drop(rules["e"], before=rules["b"])
    assert order() == "aebcd"


def test_a_gap_does_no_harm(rules):
    rules["b"].delete()
    drop(rules["a"], before=rules["d"])
    assert order() == "cade"


def test_moving_asks_as_often_however_many_rules_there_are(rules):
    def queries(moved: Rule, other: Rule) -> int:
        with CaptureQueriesContext(connection) as captured:
            drop(moved, before=other)
        return len(captured)

    visitor("admin")
    few = queries(rules["e"], rules["a"])
    preset = Preset.objects.get()
    Rule.objects.bulk_create(
        [Rule(name=f"rule {n}", position=n, preset=preset) for n in range(6, 306)]
    )
    assert queries(Rule.objects.last(), Rule.objects.first()) == few


def test_a_position_can_be_typed(rules):
    address = reverse("admin:broadcasts_rule_change", args=[rules["e"].pk])
    values = {"name": "e", "enabled": "on", "preset": rules["e"].preset_id, "position": "2"}
    visitor("admin").post(address, {**values, "change_reason": "first things first"})
    assert order() == "aebcd"
    assert Rule.history.latest().history_change_reason == "moved from 5 to 2: first things first"


@pytest.mark.parametrize(("position", "expected"), [("", "abcdef"), ("1", "fabcde")])
def test_a_new_rule_comes_last_unless_told(rules, position, expected):
    values = {"name": "f", "enabled": "on", "preset": rules["a"].preset_id, "position": position}
    visitor("admin").post(reverse("admin:broadcasts_rule_add"), values)
    assert order() == expected


def test_a_rule_that_is_gone_is_not_there_to_be_moved(rules):
    rules["a"].delete()
    assert drop(rules["b"]).status_code == 400
    address = reverse("admin:broadcasts_rule_move", args=[99_999])
    assert visitor("admin").post(address, {"before": rules["b"].pk}).status_code == 404


def test_the_list_of_rules_asks_as_often_however_long_it_is(rules):
    client, address = visitor("admin"), reverse("admin:broadcasts_rule_changelist")
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    preset = Preset.objects.get()
    Rule.objects.bulk_create(
        [Rule(name=f"rule {n}", position=n, preset=preset) for n in range(6, 90)]
    )
    with CaptureQueriesContext(connection) as many:
        client.get(address)
    assert len(many) == len(few)


def test_many_rules_are_deleted_in_few_statements_and_count_for_the_next_call():
    preset = Preset.objects.create(name="sales")
    keys = [Rule.objects.create(name=f"rule-{number}", preset=preset).pk for number in range(60)]
    before = Revision.current()
    chosen = {"action": "delete_selected", "_selected_action": keys, "post": "yes"}
    client = visitor("admin")
    with CaptureQueriesContext(connection) as queries:
        client.post(reverse("admin:broadcasts_rule_changelist"), chosen)
    assert len(queries) < 40
    assert not Rule.objects.exists()
    assert Revision.current() > before
    assert Rule.history.filter(history_type="-", changed_by="a-admin").count() == 60
