"""Exports that tests ask for, and packages as they are read back."""

import csv
import io
import json
import zipfile
from typing import Any
from xml.etree import ElementTree

from broadcasts.exports.making import Made, make
from broadcasts.models import Export
from tests.builders import make_member

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def wanted(**options: Any) -> Export:
    """Return an export of any time, of an auditor's; a test states only what it is about."""
    defaults = {"query": {"period": ["all"]}, "columns": ["id", "status"], "header": "keys"}
    owner = options.pop("owner", None) or make_member("auditor")
    return Export(**{**defaults, "owner": owner, **options})


def asked_for(**options: Any) -> Export:
    """Return the same on record, waiting to be made."""
    export = wanted(**options)
    export.save()
    return export


class Opened:
    """A package that was made, opened again."""

    def __init__(self, content: bytes, made: Made | None = None) -> None:
        self.content, self.made = content, made
        self.zip = zipfile.ZipFile(io.BytesIO(content))
        self.manifest = json.loads(self.zip.read("manifest.json"))

    def text(self, name: str) -> str:
        return self.zip.read(name).decode()

    def csv(self, name: str = "broadcasts.csv") -> list[list[str]]:
        return list(csv.reader(io.StringIO(self.text(name), newline="")))

    def json_lines(self, name: str = "broadcasts.jsonl") -> list[Any]:
        return [json.loads(line) for line in self.text(name).splitlines()]

    def sheets(self, name: str = "broadcasts.xlsx") -> list[list[list[Any]]]:
        """Return the rows of each sheet: texts, numbers and truths; None for an empty cell."""
        with zipfile.ZipFile(io.BytesIO(self.zip.read(name))) as book:
            names = [one for one in book.namelist() if one.startswith("xl/worksheets/sheet")]
            return [rows_of(book.read(one)) for one in sorted(names, key=lambda name: len(name))]


def rows_of(sheet: bytes) -> list[list[Any]]:
    return [
        [cell_of(cell) for cell in row.iter(f"{SHEET}c")]
        for row in ElementTree.fromstring(sheet).iter(f"{SHEET}row")
    ]


def cell_of(cell: ElementTree.Element) -> Any:
    assert cell.find(f"{SHEET}f") is None, "a formula"
    if cell.get("t") == "inlineStr":
        return "".join(part.text or "" for part in cell.iter(f"{SHEET}t"))
    value = cell.find(f"{SHEET}v")
    if value is None:
        return None
    return value.text == "1" if cell.get("t") == "b" else float(value.text or "nan")


def package(**options: Any) -> Opened:
    """Make a package and open it."""
    export, out = wanted(**options), io.BytesIO()
    made = make(export, export.owner, out)
    return Opened(out.getvalue(), made)
