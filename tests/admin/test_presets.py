"""Presets in the admin: rounds in rows, exact reasons, versions."""

import pytest
from django.urls import reverse

from broadcasts.models import Preset, Revision
from tests.admin.cast import visitor

pytestmark = pytest.mark.django_db

ADD = reverse("admin:broadcasts_preset_add")


def form(**values):
    """What the form of a preset sends."""
    return {
        "name": "sales",
        "rounds-app_filter": ["^vip-", ""],
        "rounds-timeout_ms": ["500", "2000"],
        "notify_claimed": "unknown",
        **values,
    }


def edit(preset, **values):
    address = reverse("admin:broadcasts_preset_change", args=[preset.pk])
    return visitor("admin").post(address, form(**values))


@pytest.fixture
def preset() -> Preset:
    visitor("admin").post(ADD, form())
    return Preset.objects.get(name="sales")


def test_rounds_are_kept_as_calls_read_them(preset):
    assert preset.rounds == [
        {"app_filter": "^vip-", "timeout_ms": 500},
        {"app_filter": "", "timeout_ms": 2000},
    ]
    assert preset.notify_claimed is None


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"rounds-app_filter": ["^vip-", "^(ivr"]}, "round 2: app_filter &#x27;^(ivr&#x27;"),
        ({"rounds-timeout_ms": ["500", "soon"]}, "&#x27;soon&#x27; is not a whole number"),
        ({"rounds-timeout_ms": ["500", ""]}, "each of several rounds needs its timeout_ms"),
        ({"rounds-app_filter": [], "rounds-timeout_ms": []}, "at least one round"),
        ({"name": "with blanks"}, "Use letters, digits"),
    ],
)
def test_a_mistake_is_named_and_what_was_typed_is_kept(values, reason):
    answer = visitor("admin").post(ADD, form(description="typed", **values))
    page = answer.content.decode()
    assert reason in page
    assert "typed" in page
    assert not Preset.objects.exists()


def test_a_change_takes_effect_with_the_next_call(preset):
    before = Revision.current()
    edit(preset, **{"rounds-app_filter": ["^gold-", ""]})
    assert Revision.current() > before


def test_a_version_is_restored_as_a_new_one(preset):
    edit(preset, **{"rounds-app_filter": ["^gold-", ""]})
    first = preset.history.earliest()
    address = reverse("admin:broadcasts_preset_version", args=[preset.pk, first.history_id])
    page = visitor("auditor").get(address).content.decode()
    assert "^gold-" in page
    assert "Restore this version" not in page

    visitor("admin").post(address, {"change_reason": "gold was wrong"})
    preset.refresh_from_db()
    assert preset.rounds[0]["app_filter"] == "^vip-"
    assert preset.version == 3
    assert preset.history.latest().history_change_reason == "version 1 restored: gold was wrong"
    assert preset.history.latest().changed_by == "a-admin"


def test_a_deleted_preset_is_restored_too(preset):
    first, key = preset.history.earliest(), preset.pk
    preset.delete()
    address = reverse("admin:broadcasts_preset_version", args=[key, first.history_id])
    visitor("admin").post(address)
    assert Preset.objects.get(pk=key).version == 2


def test_a_version_that_cannot_be_used_any_more_says_why(preset):
    first, key = preset.history.earliest(), preset.pk
    preset.delete()
    Preset.objects.create(name="sales")
    address = reverse("admin:broadcasts_preset_version", args=[key, first.history_id])
    page = visitor("admin").post(address).content.decode()
    assert "Preset with this Name already exists" in page
    assert not Preset.objects.filter(pk=key).exists()
