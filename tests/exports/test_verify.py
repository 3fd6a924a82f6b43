"""A changed byte in a package is found wherever it is, and named; without a database."""

import base64
import io
import json
import subprocess
import sys
import zipfile

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import CommandError, call_command
from django.utils import timezone

from broadcasts.archive import signing
from broadcasts.exports.package import Package
from broadcasts.exports.verify import verify
from tests.builders import make_broadcast
from tests.databases import ROOT, environment

from .cast import package

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["csv", "jsonl", "xlsx"])
def content(request) -> bytes:
    """A package of each format."""
    make_broadcast()
    make_broadcast(called="=1\n2")
    return package(format=request.param, columns=["id", "called"]).content


@pytest.fixture
def check(tmp_path):
    """Return what is wrong with a package."""
    path = tmp_path / "package.zip"

    def checked(content: bytes, key: str = "") -> list[str]:
        path.write_bytes(content)
        return verify(path, key).wrong

    return checked


def rebuilt(content: bytes, change) -> bytes:
    """Return a package whose files somebody has changed and zipped again."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        files = {name: old.read(name) for name in old.namelist()}
        change(files)
        for name, data in files.items():
            new.writestr(name, data)
        new.comment = old.comment
    return out.getvalue()


def test_a_package_as_it_was_made_is_in_order(content, check):
    assert check(content) == []


@pytest.mark.parametrize("content", ["csv"], indirect=True)
@pytest.mark.parametrize("bit", [0x01, 0x20, 0x80])
def test_every_changed_byte_is_found(content, check, bit):
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] ^= bit
        assert check(bytes(changed)), f"byte {place} of {len(content)}"


@pytest.mark.parametrize("content", ["xlsx"], indirect=True)
def test_every_changed_byte_of_a_workbook_is_found(content, check):
    for place in range(0, len(content), 7):
        changed = bytearray(content)
        changed[place] ^= 0x01
        assert check(bytes(changed)), f"byte {place} of {len(content)}"


def test_what_was_cut_off_or_put_behind_is_found(content, check):
    for changed in (content[:-1], content + b"\n", b"\n" + content, content[: len(content) // 2]):
        assert check(changed)


def test_a_changed_file_is_named(content, check):
    def change(files):
        name = next(name for name in files if name.startswith("broadcasts"))
        files[name] += b"\n"

    (wrong,) = check(rebuilt(content, change))
    assert wrong.startswith("broadcasts.")
    assert "was changed: its SHA-256 is" in wrong


def test_a_changed_manifest_is_named(content, check):
    def change(files):
        manifest = json.loads(files["manifest.json"])
        files["manifest.json"] = json.dumps({**manifest, "made_for": "somebody else"}).encode()

    assert check(rebuilt(content, change)) == [
        "manifest.json or manifest.sig was changed: the signature does not fit."
    ]


@pytest.mark.parametrize("name", ["manifest.json", "manifest.sig"])
def test_a_missing_manifest_is_named(content, check, name):
    assert check(rebuilt(content, lambda files: files.pop(name))) == [f"{name} is missing."]


def test_missing_and_additional_files_are_named(content, check):
    def change(files):
        name = next(name for name in files if name.startswith("broadcasts"))
        files["more.csv"] = files.pop(name)

    wrong = check(rebuilt(content, change))
    assert wrong[0] == "more.csv does not belong to it: the manifest does not name it."
    assert wrong[1].startswith("broadcasts.")
    assert wrong[1].endswith("is missing.")


def test_files_as_they_were_in_another_frame_are_told_apart(content, check):
    (wrong,) = check(rebuilt(content, lambda files: None))
    assert wrong.startswith("Something was changed between or behind its files")


def test_a_package_of_somebody_elses_names_the_key(content, check, settings):
    theirs = signing.public_key()
    settings.RECORD_KEY = "another installation"
    assert check(content) == [
        f"It was signed with another key than the one expected: {theirs}.",
    ]
    assert check(content, theirs) == []


def test_a_count_that_does_not_fit_is_found_although_it_is_signed(check):
    out = io.BytesIO()
    made = Package(out, timezone.now())
    with made.file("broadcasts.csv") as file:
        file.write(b'id,called\r\n1,"a\r\nb"\r\n')
    made.files[0]["rows"] = 2
    made.finish({"header": "keys"})
    assert check(out.getvalue()) == ["broadcasts.csv has 1 rows, where the manifest says 2."]


@pytest.mark.parametrize("nonsense", [b"", b"PK", b"\x00" * 500, b"no package at all" * 20])
def test_what_is_no_package_is_said_to_be_none(check, nonsense):
    assert check(nonsense)


@pytest.mark.parametrize("manifest", [b"{}", b"[]", b"\xff", b'{"format": 1, "files": 2}'])
def test_a_manifest_of_something_else_is_none(content, check, manifest):
    wrong = check(rebuilt(content, lambda files: files.update({"manifest.json": manifest})))
    assert "manifest.json cannot be read." in wrong


def test_the_command_needs_no_database(content, tmp_path):
    path = tmp_path / "package.zip"
    path.write_bytes(content)
    key = signing.public_key()
    command = [sys.executable, "manage.py", "verify_export", str(path), "--key", key]
    # A database that cannot be reached.
    nowhere = environment("postgres://postgres@127.0.0.1:1/none")
    done = subprocess.run(command, cwd=ROOT, env=nowhere, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "2 rows" in done.stdout
    path.write_bytes(content[:-1] + b"\x00")
    assert subprocess.run(command, cwd=ROOT, env=nowhere, capture_output=True).returncode == 1
    path.unlink()
    assert subprocess.run(command, cwd=ROOT, env=nowhere, capture_output=True).returncode == 2


def test_the_command_asks_nothing_of_the_database(content, tmp_path, django_assert_num_queries):
    path = tmp_path / "package.zip"
    path.write_bytes(content)
    with django_assert_num_queries(0):
        call_command("verify_export", str(path), stdout=io.StringIO())


@pytest.mark.parametrize("key", ["no base64!", "===", "ü"])
def test_a_key_that_is_none_is_refused(tmp_path, key):
    with pytest.raises(CommandError, match="--key") as refused:
        call_command("verify_export", str(tmp_path / "package.zip"), key=key)
    assert refused.value.returncode == 2


def test_a_key_of_another_is_not_taken_for_ours(content, check):
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    assert check(content, base64.b64encode(other).decode())
