"""Presets: what may be saved, and what a version is."""

import pytest
from django.core.exceptions import ValidationError

from broadcasts.models import Preset
from tests.builders import make_preset

pytestmark = pytest.mark.django_db


def complaints(**columns) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as refused:
        make_preset(**columns)
    return refused.value.message_dict


def test_a_bad_filter_is_refused_with_what_is_wrong_with_it():
    assert complaints(rounds=[{"app_filter": "(", "timeout_ms": 1}]) == {
        "rounds": ["round 1: app_filter '(': a '(' is not closed"]
    }


def test_rounds_and_arguments_are_judged_together():
    assert complaints(rounds=[], args="a,b").keys() == {"rounds", "args"}


def test_a_name_is_one_that_the_dialplan_can_write():
    assert "name" in complaints(name="a,b")


def test_rounds_are_kept_in_one_way_of_writing_them():
    preset = make_preset(rounds=[{"app_filter": "^vip-"}])
    assert preset.rounds == [{"app_filter": "^vip-", "timeout_ms": None}]


def test_every_change_makes_a_version():
    preset = make_preset()
    assert preset.version == 1
    preset.args = "sales"
    preset.save()
    assert Preset.objects.get().version == 2


def test_a_save_that_changes_nothing_makes_none():
    make_preset()
    Preset.objects.get().save()
    assert Preset.objects.get().version == 1
    assert Preset.history.count() == 1


def test_a_version_is_kept_whole_and_can_be_restored():
    preset = make_preset("vip", "^vip-", "")
    preset.rounds, preset.args = [{"app_filter": "^x", "timeout_ms": 1}], "sales"
    preset.save()
    preset.history.get(version=1).instance.save()
    restored = Preset.objects.get()
    assert [one["app_filter"] for one in restored.rounds] == ["^vip-", ""]
    assert (restored.args, restored.version) == ("", 3)


def test_a_name_and_a_version_mean_the_same_for_ever():
    make_preset("vip").delete()
    assert make_preset("vip").version == 2
    other = make_preset("other")
    other.name = "renamed"
    other.save()
    assert (other.version, make_preset("other").version) == (2, 2)
