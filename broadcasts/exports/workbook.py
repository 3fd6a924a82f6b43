"""Tables as XLSX: every text a text, and as many sheets as the rows need."""

import math
import shutil
import tempfile
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from xlsxwriter import Workbook

from broadcasts.models import Wanted

from .cells import Conversions, is_formula
from .tables import Row, Table
from .writers import LONE_HALVES, Entry, Step, blocks, names

ROWS_PER_SHEET = 1_048_576
MOST_CHARACTERS = 32_767
CUT = " … (cut: a cell holds 32,767 characters)"
# Excel computes with 15 digits.
EXACT = 10**15
WIDTH = 22


def write_xlsx(table: Table, wanted: Wanted, zone: ZoneInfo, entry: Entry, step: Step) -> None:
    """Write a workbook. It is made beside, on disk, as its parts come in another order."""
    with tempfile.TemporaryDirectory(dir=scratch()) as directory:
        path = Path(directory) / "workbook"
        options = {"constant_memory": True, "tmpdir": directory}
        with Workbook(str(path), options) as workbook:
            sheets = Sheets(workbook, table, wanted, zone)
            for block in blocks(table.rows()):
                for row in block:
                    sheets.write(row)
                step(len(block))
        with path.open("rb") as made:
            shutil.copyfileobj(made, entry, 1 << 16)


def scratch() -> Path:
    """Return where files may be made that are not to be seen by others."""
    settings.EXPORTS_DIR.mkdir(mode=0o700, parents=True, exist_ok=True)
    return Path(settings.EXPORTS_DIR)


class Sheets:
    """The sheets of a table: a further one whenever one is full, each with the header."""

    def __init__(self, workbook: Workbook, table: Table, wanted: Wanted, zone: ZoneInfo) -> None:
        self._workbook, self._title = workbook, table.title
        self._bold = workbook.add_format({"bold": True})
        # A text that would be a formula stays a text also when its cell is edited.
        self._quoted = workbook.add_format({"quote_prefix": True})
        with_header = wanted.header != Wanted.Header.NONE
        self._header = names(table.columns, wanted.header) if with_header else []
        self._width = len(table.columns)
        self._convert = Conversions(zone, str)
        self._count = 0
        self._add()

    def _add(self) -> None:
        self._count += 1
        title = self._title if self._count == 1 else f"{self._title} {self._count}"
        self._sheet = self._workbook.add_worksheet(title)
        self._sheet.set_column(0, self._width - 1, WIDTH)
        self._row = 0
        for column, name in enumerate(self._header):
            self._sheet.write_string(0, column, name, self._bold)
        if self._header:
            self._sheet.freeze_panes(1, 0)
            self._row = 1

    def write(self, row: Row) -> None:
        if self._row == ROWS_PER_SHEET:
            self._add()
        for column, value in enumerate(row):
            if value is not None and value != "":
                self._write_cell(column, value)
        self._row += 1

    def _write_cell(self, column: int, value: Any) -> None:
        kind = type(value)
        if kind is bool:
            self._sheet.write_boolean(self._row, column, value)
        elif kind in (int, float) and math.isfinite(value) and abs(value) < EXACT:
            self._sheet.write_number(self._row, column, value)
        else:
            text = fitting(self._convert[kind](value))
            style = self._quoted if is_formula(text) else None
            self._sheet.write_string(self._row, column, text, style)


def fitting(text: str) -> str:
    """Return a text as a cell can hold it."""
    text = text.encode(errors=LONE_HALVES).decode()
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - len(CUT)] + CUT
