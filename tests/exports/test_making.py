"""What is in a package: every format, the filter and columns asked for, times, numbers."""

import base64
import hashlib
import io
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.utils import timezone

from broadcasts.archive.signing import is_signed
from broadcasts.domain.lifecycle import Status
from broadcasts.exports import workbook
from broadcasts.exports.making import make, note
from broadcasts.exports.tables import ExportRefused
from broadcasts.history import columns
from broadcasts.models import AccessEvent, Broadcast, Candidate, ClaimAttempt, Preset, Wanted
from tests.builders import make_broadcast, make_member, make_server, make_user

from .cast import package, wanted

pytestmark = pytest.mark.django_db

AT = datetime(2026, 7, 1, 12, 30, 15, 250_000, tzinfo=UTC)
NUMBER = "+15551234567"
ATTEMPT = {"channel_id": "1", "application": "x", "user": "ivr", "at": AT, "answer": 404}


def test_csv_has_the_columns_chosen_in_their_order_newest_first():
    old, new = (make_broadcast(opened_at=AT + timedelta(minutes=late)) for late in (0, 1))
    rows = package(columns=["status", "id", "opened_at"], zone="Europe/Berlin").csv()
    assert rows == [
        ["status", "id", "opened_at"],
        ["open", str(new.pk), "2026-07-01T14:31:15.250000+02:00"],
        ["open", str(old.pk), "2026-07-01T14:30:15.250000+02:00"],
    ]


def test_the_header_may_be_titles_with_units_or_missing():
    make_broadcast(status=Status.CLAIMED, claim_ms=12.5)
    titled = package(columns=["status", "claim_ms"], header="labels").csv()
    assert titled == [["Status", "Time to claim (ms)"], ["claimed", "12.5"]]
    assert package(columns=["status", "claim_ms"], header="none").csv() == [["claimed", "12.5"]]


def test_json_lines_keep_types_and_texts_as_they_are():
    made = make_broadcast(called="=1+1", warnings=["a"], opened_at=AT, notify_claimed=True)
    keys = ["id", "called", "warnings", "opened_at", "claim_ms", "notify_claimed"]
    assert package(columns=keys, format="jsonl").json_lines() == [
        {
            "id": made.pk,
            "called": "=1+1",
            "warnings": ["a"],
            "opened_at": "2026-07-01T12:30:15.250000+00:00",
            "claim_ms": None,
            "notify_claimed": True,
        }
    ]
    assert package(columns=["id"], format="jsonl", header="labels").json_lines() == [
        {"Number": made.pk}
    ]
    assert package(columns=["id"], format="jsonl", header="none").json_lines() == [[made.pk]]


@pytest.mark.skipif(connection.vendor == "postgresql", reason="PostgreSQL keeps no half a pair")
def test_half_a_pair_in_a_text_stops_no_export():
    make_broadcast(warnings=["\ud800"])
    assert package(columns=["warnings"]).csv()[1] == ['["\\ud800"]']
    assert package(columns=["warnings"], format="jsonl").json_lines() == [{"warnings": ["\ud800"]}]
    assert package(columns=["warnings"], format="xlsx").sheets()[0][1] == ['["\\ud800"]']


def test_a_workbook_holds_texts_numbers_and_truths_and_no_formula():
    make_broadcast(called="=1+1", status=Status.CLAIMED, claim_ms=12.5, opened_at=AT)
    keys = ["called", "claim_ms", "notify_claimed", "opened_at"]
    (sheet,) = package(columns=keys, format="xlsx").sheets()
    assert sheet == [keys, ["=1+1", 12.5, False, "2026-07-01T12:30:15.250000+00:00"]]


def test_a_workbook_goes_on_in_a_further_sheet_with_the_header(monkeypatch):
    monkeypatch.setattr(workbook, "ROWS_PER_SHEET", 3)
    keys = [make_broadcast(opened_at=AT - timedelta(minutes=late)).pk for late in range(5)]
    opened = package(columns=["id"], format="xlsx")
    assert opened.sheets() == [
        [["id"], [keys[0]], [keys[1]]],
        [["id"], [keys[2]], [keys[3]]],
        [["id"], [keys[4]]],
    ]
    assert opened.manifest["files"][0]["rows"] == 5


def test_a_text_that_no_cell_can_hold_says_that_it_was_cut():
    make_broadcast(warnings=["x" * 40_000])
    text = package(columns=["warnings"], format="xlsx").sheets()[0][1][0]
    assert len(text) == workbook.MOST_CHARACTERS
    assert text.endswith(workbook.CUT)


def test_a_number_that_a_spreadsheet_would_round_is_a_text():
    make_broadcast(talk_ms=1234567890123456)
    assert package(columns=["talk_ms"], format="xlsx").sheets()[0][1] == ["1234567890123456"]


def test_what_a_spreadsheet_would_run_is_made_harmless_in_csv_and_numbers_are_not_spoiled():
    make_broadcast(called="=1+1", caller_number=NUMBER)
    row = package(columns=["called", "caller"], owner=make_member("auditor"), unmasked=True).csv()
    assert row[1] == ["'=1+1", NUMBER]


def test_exactly_what_the_filter_finds_is_exported():
    make_broadcast(status=Status.TIMED_OUT)
    failed = make_broadcast(status=Status.FAILED)
    make_broadcast(status=Status.FAILED, opened_at=timezone.now() - timedelta(days=8))
    found = package(query={"status": ["failed"]}, columns=["id"]).csv()
    assert found == [["id"], [str(failed.pk)]]


def test_times_without_a_zone_are_in_that_of_the_export():
    made = make_broadcast(opened_at=AT)
    query = {"since": ["2026-07-01T14:30"], "until": ["2026-07-01T14:31"]}
    assert package(query=query, columns=["id"], zone="UTC").csv() == [["id"]]
    assert package(query=query, columns=["id"], zone="Europe/Berlin").csv()[1] == [str(made.pk)]


def test_everything_comes_with_candidates_and_attempts_as_files_of_their_own():
    made = make_broadcast(["ivr-main", "support"])
    of_it = ClaimAttempt.objects.create(broadcast=made, verdict="won", **ATTEMPT)
    of_none = ClaimAttempt.objects.create(broadcast=None, verdict="unknown", **ATTEMPT)
    opened = package(columns=[])
    assert opened.csv()[0] == [column.key for column in columns.ALL]
    assert [row[:2] for row in opened.csv("candidates.csv")[1:]] == [
        [str(made.pk), "support"],
        [str(made.pk), "ivr-main"],
    ]
    assert [row[:2] for row in opened.csv("attempts.csv")[1:]] == [
        [str(of_it.pk), str(made.pk)],
        [str(of_none.pk), ""],
    ]


def test_of_some_broadcasts_only_their_candidates_and_attempts_come_along():
    make_broadcast(["other"], status=Status.FAILED)
    made = make_broadcast(["ivr-main"], status=Status.TIMED_OUT)
    ClaimAttempt.objects.create(broadcast=None, verdict="unknown", **ATTEMPT)
    opened = package(columns=[], query={"status": ["timed_out"]})
    assert [row[0] for row in opened.csv("candidates.csv")[1:]] == [str(made.pk)]
    assert opened.csv("attempts.csv")[1:] == []


def test_numbers_are_masked_wherever_they_stand():
    make_broadcast(
        caller_number=NUMBER,
        caller_name="Ada Lovelace",
        channel_name=f"PJSIP/{NUMBER}-1",
        app_args=["ada lovelace"],
        channel={"caller": {"number": NUMBER, "name": "Ada Lovelace"}, "name": f"PJSIP/{NUMBER}-1"},
    )
    Candidate.objects.update(failure=f"Ada Lovelace at {NUMBER} is gone")
    for format in Wanted.Format.values:
        opened = package(columns=[], format=format)
        for name in opened.zip.namelist():
            assert NUMBER[1:].encode() not in opened.zip.read(name)
            assert b"lovelace" not in opened.zip.read(name).lower()
        assert opened.manifest["numbers"] == "masked"


def test_a_column_alone_tells_no_name_either():
    make_broadcast(caller_name="Ada Lovelace", app_args=["Ada Lovelace"])
    assert package(columns=["app_args"]).csv()[1] == ['["A•••"]']


def test_numbers_in_full_take_the_wish_and_the_right():
    make_broadcast(caller_number=NUMBER)
    asked = {"columns": ["caller"], "unmasked": True}
    assert package(**asked).csv()[1] == [NUMBER]
    exporter = make_user("exporter")
    exporter.user_permissions.set(permissions("export_record", "view_broadcast"))
    opened = package(**asked, owner=exporter)
    assert opened.csv()[1] == ["•••4567"]
    assert opened.manifest["numbers"] == "masked"


def permissions(*codenames):
    return Permission.objects.filter(codename__in=codenames)


def test_the_manifest_says_what_the_package_is():
    make_broadcast(status=Status.FAILED)
    opened = package(query={"status": ["failed"], "caller": [NUMBER]}, zone="Europe/Berlin")
    manifest = opened.manifest
    assert manifest["made_for"] == "auditor"
    assert manifest["filter"]["in_words"] == (
        "Period: Last 7 days; Status: Failed; Caller: •••4567"
    )
    assert manifest["filter"]["query"] == {"status": ["failed"], "caller": ["•••4567"]}
    assert (manifest["zone"], manifest["header"]) == ("Europe/Berlin", "keys")
    assert manifest["anchor"].startswith("0:")
    (file,) = manifest["files"]
    content = opened.zip.read("broadcasts.csv")
    assert file["sha256"] == hashlib.sha256(content).hexdigest()
    assert (file["size"], file["rows"]) == (len(content), 0)
    assert [column["key"] for column in file["columns"]] == ["id", "status"]


def test_the_manifest_is_signed_and_so_is_the_whole():
    opened = package()
    signature = base64.b64decode(opened.zip.read("manifest.sig"))
    assert is_signed(opened.zip.read("manifest.json"), signature)
    assert opened.made.size == len(opened.content)
    assert opened.made.sha256 == hashlib.sha256(opened.content).hexdigest()


def test_changes_are_told_field_by_field_with_who_and_why():
    preset = Preset.objects.create(name="sales")
    preset.rounds = [{"app_filter": "^gold-", "timeout_ms": 500}]
    preset._change_reason = "gold first"
    preset.save()
    keys = ["model", "name", "change", "field", "new", "reason"]
    rows = package(kind="changes", query={"of": ["preset"]}, columns=keys)
    assert rows.csv("changes.csv")[1] == [
        "Preset", "sales", "changed", "Rounds", "^gold- for 500 ms", "gold first",
    ]  # fmt: skip


def test_all_changes_are_read_however_many_there_are(monkeypatch):
    monkeypatch.setattr("broadcasts.exports.other_tables.CHANGES_AT_A_TIME", 2)
    for name in "abcde":
        Preset.objects.create(name=name)
    query = {"of": ["preset"]}
    rows = package(kind="changes", columns=["name"], query=query).csv("changes.csv")
    assert [name for (name,) in dict.fromkeys(map(tuple, rows[1:]))] == list("edcba")


def test_only_the_changes_that_may_be_seen_are_exported():
    owner = make_user("clerk")
    owner.user_permissions.set(permissions("export_record", "view_historicalpreset"))
    Preset.objects.create(name="sales")
    make_server("pbx-east")
    rows = package(kind="changes", columns=["model"], owner=owner).csv("changes.csv")
    assert {tuple(row) for row in rows[1:]} == {("Preset",)}


def test_accesses_are_exported_as_they_were_recorded():
    AccessEvent.note(AccessEvent.Kind.UNMASK, "olga", "192.0.2.7", reason="a complaint")
    AccessEvent.note(AccessEvent.Kind.SIGN_IN, "olga")
    rows = package(kind="access", query={"event": ["unmask"]}, columns=["who", "event", "detail"])
    assert rows.csv("access.csv")[1:] == [["olga", "unmask", '{"reason":"a complaint"}']]


def test_reports_are_exported_each_as_a_file():
    make_broadcast(status=Status.TIMED_OUT)
    opened = package(kind="reports", columns=[], query={"period": ["7d"]})
    assert {"outcomes.csv", "applications.csv"} <= set(opened.zip.namelist())


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"query": {"status": ["lost"]}}, "lost is not one of the available choices"),
        ({"query": {"since": ["2026-02-31T00:00"]}}, "From"),
        ({"query": {"colour": ["red"]}}, "colour"),
        ({"columns": ["colour"]}, "There is no column 'colour'"),
        ({"zone": "Mars/Olympus"}, "There is no time zone 'Mars/Olympus'"),
        ({"zone": "../etc/passwd"}, "There is no time zone"),
        ({"kind": "changes", "query": {"status": ["failed"]}}, "status"),
        ({"kind": "access", "columns": ["colour"]}, "colour"),
        ({"kind": "reports", "columns": []  , "query": {"period": ["1y"]}}, "Period"),
    ],
)  # fmt: skip
def test_what_cannot_be_exported_is_refused_in_words(options, why):
    with pytest.raises(ExportRefused, match=why):
        package(**options)


@pytest.mark.parametrize("role", ["operator", "admin"])
@pytest.mark.parametrize("kind", Wanted.Kind.values)
def test_who_may_not_export_is_refused(role, kind):
    with pytest.raises(ExportRefused, match="may not export"):
        package(owner=make_member(role), kind=kind)


def test_an_account_that_was_closed_exports_nothing():
    auditor = make_member("auditor")
    auditor.is_active = False
    with pytest.raises(ExportRefused):
        package(owner=auditor)


def test_that_something_was_exported_is_recorded_without_numbers():
    export = wanted(query={"caller": [NUMBER]}, unmasked=True)
    made = make(export, export.owner, io.BytesIO())
    note(export, export.owner, made, "192.0.2.7")
    event = AccessEvent.objects.get(kind="export")
    assert (event.who, event.address) == ("auditor", "192.0.2.7")
    assert event.detail["filter"] == {"caller": ["•••4567"]}
    assert (event.detail["unmasked"], event.detail["sha256"]) == (True, made.sha256)


def test_nothing_is_written_by_reading():
    make_broadcast()
    before = list(Broadcast.objects.values())
    package(columns=[])
    assert list(Broadcast.objects.values()) == before
