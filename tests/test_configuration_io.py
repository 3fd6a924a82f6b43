"""Presets and rules out of one installation and into another."""

import json

import pytest
from django.db import IntegrityError, connection
from django.test.utils import CaptureQueriesContext

from broadcasts import configuration_io
from broadcasts.configuration_io import (
    ImportRefused,
    Kind,
    export_document,
    import_document,
    read_document,
)
from broadcasts.models import Defaults, Preset, Revision, Rule
from broadcasts.models.bulk import Writing
from tests.builders import make_preset, make_rule, make_server

pytestmark = pytest.mark.django_db

DOCUMENT = """
presets:
- name: vip-first
  rounds:
  - {app_filter: ^vip-, timeout_ms: 500}
  - {app_filter: "", timeout_ms: 2000}
  args: sales:high
- name: plain
rules:
- {name: sixes, extension: _6XX, preset: vip-first}
- {name: rest, server: pbx, preset: plain}
"""


@pytest.fixture(autouse=True)
def server():
    return make_server("pbx")


def kinds(changes) -> dict[str, Kind]:
    return {f"{change.what} {change.name}": change.kind for change in changes}


def faults(text: str) -> list[str]:
    before = export_document(), Revision.current()
    with pytest.raises(ImportRefused) as refused:
        import_document(text)
    assert (export_document(), Revision.current()) == before, "nothing may have changed"
    return refused.value.faults


def test_an_import_makes_what_the_document_says(server):
    import_document(DOCUMENT)
    vip, plain = Preset.objects.get(name="vip-first"), Preset.objects.get(name="plain")
    assert [one["timeout_ms"] for one in vip.rounds] == [500, 2000]
    assert plain.rounds == [{"app_filter": "", "timeout_ms": None}]
    rules = [(rule.name, rule.server, rule.preset) for rule in Rule.objects.all()]
    assert rules == [("sixes", None, vip), ("rest", server, plain)]


@pytest.mark.parametrize("file_format", ["yaml", "json"])
def test_what_was_exported_changes_nothing(file_format):
    import_document(DOCUMENT)
    changes = import_document(export_document(file_format))
    assert set(kinds(changes).values()) == {Kind.UNCHANGED}
    assert Preset.objects.get(name="vip-first").version == 1


@pytest.mark.parametrize("file_format", ["yaml", "json"])
def test_what_was_exported_makes_the_same_elsewhere(file_format):
    import_document(DOCUMENT)
    exported = export_document(file_format)
    Rule.objects.all().delete()
    Preset.objects.all().delete()
    import_document(exported)
    assert export_document(file_format) == exported


def test_an_export_is_text_for_people():
    make_preset("vip", "^ü-")
    assert "app_filter: ^ü-" in export_document()
    assert "^ü-" in export_document("json")


def test_an_export_leaves_out_what_has_its_default():
    import_document("{presets: [{name: plain}], rules: [{name: all, preset: plain}]}")
    assert json.loads(export_document("json")) == {
        "presets": [{"name": "plain", "rounds": [{"app_filter": "", "timeout_ms": None}]}],
        "rules": [{"name": "all", "preset": "plain"}],
    }


def test_a_dry_run_shows_the_difference_and_keeps_nothing():
    import_document(DOCUMENT)
    before = export_document()
    changed = DOCUMENT.replace("sales:high", "sales:low").replace("- name: plain", "- name: new")
    changed = changed.replace("preset: plain", "preset: new")
    changes = import_document(changed, dry_run=True)
    assert kinds(changes) == {
        "preset vip-first": Kind.CHANGED,
        "preset new": Kind.ADDED,
        "rule sixes": Kind.UNCHANGED,
        "rule rest": Kind.CHANGED,
        "preset plain": Kind.REMOVED,
    }
    assert changes[0].fields == {"args": ("sales:high", "sales:low")}
    assert export_document() == before


def test_a_dry_run_only_reads():
    """On SQLite whoever writes keeps the record waiting."""
    with CaptureQueriesContext(connection) as queries:
        import_document(DOCUMENT, dry_run=True)
    assert {query["sql"].split()[0] for query in queries} == {"SELECT"}


def test_a_large_import_is_written_in_few_statements():
    presets = [{"name": f"preset-{number}"} for number in range(300)]
    rules = [{"name": f"rule-{number}", "preset": f"preset-{number}"} for number in range(300)]
    with CaptureQueriesContext(connection) as queries:
        import_document(json.dumps({"presets": presets, "rules": rules}))
    assert len(queries) < 40
    with CaptureQueriesContext(connection) as queries:
        import_document(json.dumps({"presets": presets, "rules": rules[::-1]}))
    assert len(queries) < 40
    assert Rule.objects.first().name == "rule-299"


def test_what_is_imported_has_versions_and_a_history_like_any_change():
    import_document(DOCUMENT)
    import_document(DOCUMENT.replace("sales:high", "sales:low"))
    preset = Preset.objects.get(name="vip-first")
    kept = [(change.version, change.history_type, change.args) for change in preset.history.all()]
    assert kept == [(2, "~", "sales:low"), (1, "+", "sales:high")]
    assert Preset.objects.get(name="plain").version == 1


def test_an_import_is_refused_when_somebody_else_was_faster(monkeypatch):
    def read_while_somebody_saves(text):
        make_preset("late")
        return read_document(text)

    monkeypatch.setattr(configuration_io, "read_document", read_while_somebody_saves)
    with pytest.raises(ImportRefused, match="changed meanwhile"):
        import_document(DOCUMENT)
    assert [preset.name for preset in Preset.objects.all()] == ["late"]


def test_an_import_counts_for_the_configuration_that_it_was_shown_for():
    revision = Revision.current()
    make_preset("late")
    with pytest.raises(ImportRefused, match="changed meanwhile"):
        import_document(DOCUMENT, revision=revision)


def test_what_the_database_refuses_is_told_and_changes_nothing(monkeypatch):
    def refuse(writing):
        Preset.objects.create(name="half-way")
        raise IntegrityError("a row is missing")

    monkeypatch.setattr(Writing, "execute", refuse)
    with pytest.raises(ImportRefused, match="a row is missing"):
        import_document(DOCUMENT)
    assert not Preset.objects.exists()


def test_while_it_writes_it_reads_nothing_but_whether_it_may():
    """On SQLite whoever writes keeps the record waiting: all thinking is done before."""
    import_document(DOCUMENT)
    with CaptureQueriesContext(connection) as queries:
        import_document(DOCUMENT.replace("sales:high", "sales:low").replace("sixes", "fives"))
    said = [query["sql"].removeprefix("1 times: ").split()[0] for query in queries]
    written = said[said.index("UPDATE") :]
    assert written.count("SELECT") == 1
    assert {"INSERT", "DELETE"} < set(written)


def test_the_order_of_rules_is_part_of_them():
    import_document(DOCUMENT)
    presets, rules = DOCUMENT.split("rules:\n")
    first, second = rules.strip().splitlines()
    changes = import_document(f"{presets}rules:\n{second}\n{first}\n")
    assert [rule.name for rule in Rule.objects.all()] == ["rest", "sixes"]
    assert {change.fields["position"] for change in changes if change.what == "rule"} == {
        (2, 1),
        (1, 2),
    }


def test_a_list_that_the_document_leaves_out_stays():
    make_rule("kept")
    used = Rule.objects.get().preset.name
    changes = import_document(f"presets: [{{name: new}}, {{name: {used}}}]")
    assert Rule.objects.count() == 1
    assert all(change.what == "preset" for change in changes)


def test_the_reason_is_kept_with_every_change():
    import_document(DOCUMENT, reason="moved from the old installation")
    import_document("rules: []", reason="tidied up")
    assert Preset.history.first().history_change_reason == "moved from the old installation"
    assert {change.history_change_reason for change in Rule.history.filter(history_type="-")} == {
        "tidied up"
    }


def test_an_invalid_entry_is_named_and_nothing_changes():
    text = DOCUMENT.replace("^vip-", "(").replace("sales:high", "a,b")
    assert faults(text) == [
        "preset vip-first: rounds: round 1: app_filter '(': a '(' is not closed",
        "preset vip-first: args: argument 1, 'a,b', is cut at its commas",
    ]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("presets: [{name: a, filter: x}]", "presets, a: unknown: filter"),
        ("presets: [{name: a}, {name: a}]", "presets, a: there is more than one of this name"),
        ("presets: [{description: a}]", "presets, entry 1: it has no name"),
        ("presets: [7]", "presets, entry 1: it has no name"),
        ("presets: {a: b}", "presets: not a list"),
        ("servers: []", "a document has the lists 'presets' and 'rules', and nothing else"),
        ("", "a document has the lists"),
        ("[]", "a document has the lists"),
        ("presets: [", "neither YAML nor JSON"),
        ("presets: [{name: a, description: !!python/name:os.system ''}]", "neither YAML nor JSON"),
        ("presets: &a [*a]", "aliases"),
        ("presets: [{name: 'a b'}]", "preset a b: name: Use letters"),
        ("presets: [{name: a, on_failed_handover: explode}]", "preset a: on_failed_handover: "),
        ("presets: [{name: a, notify_claimed: maybe}]", "preset a: notify_claimed: "),
        ("presets: [{name: a, rounds: 7}]", "preset a: rounds: a preset needs a list"),
        ("rules: [{name: a}]", "rule a: preset: it has to name one"),
        ("rules: [{name: a, preset: nobody}]", "rule a: preset: there is no preset 'nobody'"),
        ("rules: [{name: a, preset: [x]}]", "rule a: preset: there is no preset ['x']"),
        ("rules: [{name: a, server: x, preset: y}]", "rule a: server: there is no server 'x'"),
        (
            "{presets: [{name: p}], rules: [{name: a, preset: p, extension: '_['}]}",
            "rule a: extension: a [ is not closed",
        ),
    ],
)
def test_what_cannot_be_used_is_named(text, fault):
    assert any(one.startswith(fault) or fault in one for one in faults(text))


def test_a_preset_that_is_still_used_cannot_be_removed():
    Defaults.objects.create(preset=make_preset("usual"))
    assert faults("presets: []") == ["preset usual: still used by defaults Whole installation"]
    make_rule("sixes", Preset.objects.get())
    assert "rule sixes" in faults("presets: []")[0]
