"""Import and export from the admin."""

import json

import pytest
import yaml
from django.core import signing
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from broadcasts.models import Preset, Revision, Rule
from tests.admin.cast import SERVER_PASSWORD, visitor
from tests.builders import make_preset, make_rule, make_server

pytestmark = pytest.mark.django_db

DOCUMENT = """
presets:
- name: vip
  rounds: [{app_filter: ^gold-, timeout_ms: 500}]
- name: fresh
"""


def posted(follow=False, **values):
    return visitor("admin").post(reverse("admin:exchange"), values, follow=follow)


def difference(answer) -> dict[str, str]:
    return {one.name: one.kind.value for one, _ in answer.context["difference"].told}


@pytest.mark.parametrize(("file_format", "load"), [("yaml", yaml.safe_load), ("json", json.loads)])
@pytest.mark.parametrize("who", ["auditor", "admin"])
def test_an_export_is_a_file_of_presets_and_rules(who, file_format, load):
    make_rule("sixes", make_preset("vip"), server=make_server(password=SERVER_PASSWORD))
    answer = visitor(who).get(reverse("admin:export"), {"format": file_format})
    document = load(answer.content.decode())
    assert [one["name"] for one in document["presets"]] == ["vip"]
    assert [one["name"] for one in document["rules"]] == ["sixes"]
    assert answer["Content-Disposition"].endswith(f'configuration.{file_format}"')
    assert SERVER_PASSWORD not in answer.content.decode()


def test_there_is_no_other_format():
    answer = visitor("admin").get(reverse("admin:export"), {"format": "exe"})
    assert answer.status_code == 404


def test_the_difference_is_shown_before_anything_is_changed():
    make_preset("vip")
    make_preset("old")
    before = Revision.current()
    answer = posted(document=DOCUMENT)
    assert difference(answer) == {"vip": "changed", "fresh": "added", "old": "removed"}
    (vip,) = [rows for one, rows in answer.context["difference"].told if one.name == "vip"]
    assert vip == [("Rounds", "^vip- for 500 ms", "^gold- for 500 ms")]
    assert Revision.current() == before
    assert {preset.name for preset in Preset.objects.all()} == {"vip", "old"}


def test_a_file_is_read_as_its_text_would_be():
    answer = posted(file=SimpleUploadedFile("configuration.yaml", DOCUMENT.encode()))
    assert difference(answer) == {"vip": "added", "fresh": "added"}


def test_what_was_shown_is_applied_with_its_reason():
    shown = posted(document=DOCUMENT, change_reason="new season")
    revision = shown.context["difference"].revision
    answer = posted(
        document=DOCUMENT, change_reason="new season", revision=revision, apply="1", follow=True
    )
    assert "The document was imported" in answer.content.decode()
    record = Preset.objects.get(name="vip").history.latest()
    assert record.history_change_reason == "new season"
    assert record.changed_by == "a-admin"


def test_what_was_changed_meanwhile_is_shown_first():
    revision = posted(document=DOCUMENT).context["difference"].revision
    make_preset("late")
    answer = posted(document=DOCUMENT, revision=revision, apply="1")
    assert difference(answer)["late"] == "removed"
    assert "changed meanwhile" in answer.content.decode()
    assert Preset.objects.get().name == "late"


def test_what_cannot_be_imported_says_why_and_changes_nothing():
    rule = make_rule("sixes", make_preset("vip"))
    answer = posted(document="presets: [{name: vip, rounds: [{app_filter: ^(vip}]}]", apply="1")
    assert "app_filter &#x27;^(vip&#x27;" in answer.content.decode()
    assert list(Rule.objects.all()) == [rule]


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({}, "Choose a file"),
        ({"document": DOCUMENT, "change_reason": "x" * 256}, "at most 255 characters"),
        ({"file": SimpleUploadedFile("large.yaml", b"#" * 10_000_001)}, "larger than 10,000,000"),
        ({"file": SimpleUploadedFile("picture.png", b"\x89PNG\xff\xfe")}, "not a text in UTF-8"),
    ],
)
def test_what_is_no_document_is_refused(values, fault):
    answer = posted(**values)
    assert fault in answer.content.decode()
    assert "difference" not in answer.context


def test_auditors_are_offered_the_export_alone():
    page = visitor("auditor").get(reverse("admin:exchange")).content.decode()
    assert reverse("admin:export") in page
    assert "Show the difference" not in page


def test_the_largest_file_can_be_applied_too():
    document = DOCUMENT + "#" * (10_000_000 - len(DOCUMENT))
    shown = posted(file=SimpleUploadedFile("large.yaml", document.encode()))
    revision = shown.context["difference"].revision
    answer = posted(packed=shown.context["packed"], revision=revision, apply="1")
    assert answer.status_code == 302
    assert Preset.objects.filter(name="fresh").exists()


@pytest.mark.parametrize("packed", ["nonsense", signing.dumps(DOCUMENT, salt="another page")])
def test_nothing_is_applied_but_what_was_shown(packed):
    answer = posted(packed=packed, revision=Revision.current(), apply="1")
    assert "not to be had any more" in answer.content.decode()
    assert not Preset.objects.exists()
