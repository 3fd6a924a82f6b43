"""Checks a package by itself, without the database: by its signatures, hashes and counts."""

import base64
import csv
import hashlib
import io
import json
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, BinaryIO

from broadcasts.archive.signing import is_signed, public_key

from .package import FORMAT, MANIFEST, SIGNATURE, SIGNATURE_LENGTH, seal_of

CHUNK = 1 << 18
UNREADABLE = (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError)
ROW = re.compile(rb"<row[ >]")


@dataclass
class Findings:
    """What is wrong with a package, a sentence each, and what it says of itself."""

    wrong: list[str] = field(default_factory=list)
    manifest: dict[str, Any] = field(default_factory=dict)


def verify(path: Path, key: str = "") -> Findings:
    """Check a package against a public key, this installation's unless given.

    Raises OSError when there is no file that can be read.
    """
    findings = Findings()
    with path.open("rb") as package:
        whole = is_whole(package, key)
        try:
            with zipfile.ZipFile(package) as archive:
                findings.wrong += list(contents(archive, key, findings))
        except UNREADABLE as error:
            findings.wrong.append(f"It cannot be read as a ZIP: {error}.")
    if not whole and not findings.wrong:
        findings.wrong.append(
            "Something was changed between or behind its files, which themselves are unchanged: "
            "the signature of the whole package does not fit."
        )
    return findings


def is_whole(package: BinaryIO, key: str) -> bool:
    """Whether the signature at the end is one of all that comes before it."""
    left = package.seek(0, io.SEEK_END) - SIGNATURE_LENGTH
    if left < 0:
        return False
    package.seek(0)
    digest = hashlib.sha256()
    while left and (data := package.read(min(left, CHUNK))):
        digest.update(data)
        left -= len(data)
    return is_signature(package.read(), seal_of(digest.hexdigest()), key)


def is_signature(text: bytes, content: bytes, key: str) -> bool:
    """Whether a text is the one way in which base64 writes a signature of some content."""
    try:
        signature = base64.b64decode(text, validate=True)
    except ValueError:
        return False
    return base64.b64encode(signature) == text and is_signed(content, signature, key)


def contents(archive: zipfile.ZipFile, key: str, findings: Findings) -> Iterator[str]:
    """Yield what is wrong with the files in a package."""
    present = Counter(archive.namelist())
    yield from (f"{name} is in it {count} times." for name, count in present.items() if count > 1)
    missing = [name for name in (MANIFEST, SIGNATURE) if name not in present]
    if missing:
        yield from (f"{name} is missing." for name in missing)
        return
    content, problem = read(archive, MANIFEST)
    signature, unread = read(archive, SIGNATURE)
    if problem or unread:
        yield from filter(None, (problem, unread))
        return
    manifest = as_manifest(content)
    if not is_signature(signature, content, key):
        yield from unsigned(content, signature, manifest, key)
    if manifest is None:
        yield f"{MANIFEST} cannot be read."
        return
    findings.manifest = manifest
    yield from files(archive, present, manifest)


def unsigned(
    content: bytes, signature: bytes, manifest: dict[str, Any] | None, key: str
) -> Iterator[str]:
    """Yield why a manifest's signature does not fit."""
    named = str((manifest or {}).get("public_key", ""))
    if named and named != (key or public_key()) and is_signature(signature, content, named):
        yield f"It was signed with another key than the one expected: {named}."
    else:
        yield f"{MANIFEST} or {SIGNATURE} was changed: the signature does not fit."


def as_manifest(content: bytes) -> dict[str, Any] | None:
    """Return a manifest; None for what is none of ours."""
    try:
        manifest = json.loads(content)
        if manifest["format"] == FORMAT and all(
            isinstance(one["name"], str) for one in manifest["files"]
        ):
            return dict(manifest)
    except (ValueError, KeyError, TypeError):
        return None
    return None


def files(
    archive: zipfile.ZipFile, present: Counter[str], manifest: dict[str, Any]
) -> Iterator[str]:
    """Yield what is wrong with the files that a manifest names, and which it does not name."""
    named = {one["name"]: one for one in manifest["files"]}
    for name in present.keys() - named.keys() - {MANIFEST, SIGNATURE}:
        yield f"{name} does not belong to it: the manifest does not name it."
    for name, about in named.items():
        if name not in present:
            yield f"{name} is missing."
        else:
            yield from file(archive, about, manifest)


def file(
    archive: zipfile.ZipFile, about: dict[str, Any], manifest: dict[str, Any]
) -> Iterator[str]:
    """Yield what is wrong with one file."""
    name, digest, size = about["name"], hashlib.sha256(), 0
    try:
        with archive.open(name) as content:
            while data := content.read(CHUNK):
                digest.update(data)
                size += len(data)
    except UNREADABLE as error:
        yield f"{name} was changed: it cannot be unpacked ({error})."
        return
    if digest.hexdigest() != about.get("sha256"):
        yield f"{name} was changed: its SHA-256 is {digest.hexdigest()}."
        return
    if size != about.get("size"):
        yield f"{name} has {size} bytes, where the manifest says {about.get('size')}."
    rows = count_rows(archive, name, with_header=manifest.get("header") != "none")
    if rows != about.get("rows"):
        yield f"{name} has {rows} rows, where the manifest says {about.get('rows')}."


def read(archive: zipfile.ZipFile, name: str) -> tuple[bytes, str]:
    """Return a small file, or what is wrong with it."""
    try:
        return archive.read(name), ""
    except UNREADABLE as error:
        return b"", f"{name} was changed: it cannot be unpacked ({error})."


def count_rows(archive: zipfile.ZipFile, name: str, with_header: bool) -> int:
    """Return how many rows a file has, in the way of its format."""
    with archive.open(name) as content:
        return COUNTS[Path(name).suffix](content, int(with_header))


def csv_rows(content: IO[bytes], header: int) -> int:
    csv.field_size_limit(1 << 30)
    text = io.TextIOWrapper(content, encoding="utf-8", newline="")
    return sum(1 for _ in csv.reader(text)) - header


def json_rows(content: IO[bytes], header: int) -> int:
    return sum(1 for _ in content)


def xlsx_rows(content: IO[bytes], header: int) -> int:
    """Count the rows of every sheet; each begins with the header."""
    with zipfile.ZipFile(content) as workbook:
        sheets = [name for name in workbook.namelist() if name.startswith("xl/worksheets/")]
        return sum(sheet_rows(workbook, name) - header for name in sheets)


def sheet_rows(workbook: zipfile.ZipFile, name: str) -> int:
    with workbook.open(name) as sheet:
        rows, tail = 0, b""
        while data := sheet.read(CHUNK):
            rows += len(ROW.findall(tail + data))
            # Shorter than what is looked for, so that nothing is counted twice.
            tail = (tail + data)[-4:]
        return rows


COUNTS: dict[str, Callable[[IO[bytes], int], int]] = {
    ".csv": csv_rows,
    ".jsonl": json_rows,
    ".xlsx": xlsx_rows,
}
