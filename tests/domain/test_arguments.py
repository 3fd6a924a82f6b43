import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcasts.domain.arguments import (
    MAX_ARGS,
    Arguments,
    Defaults,
    movable_args,
    parse_arguments,
)
from tests.domain.glibc import needs_glibc, scan_int
from tests.domain.vectors import RECORDED


def test_all_four_arguments_are_read():
    assert parse_arguments(["2000", "^ivr-.*", "sales:priority-high", "yes"]) == Arguments(
        timeout_ms=2000,
        app_filter="^ivr-.*",
        args=("sales", "priority-high"),
        notify_claimed=True,
        warnings=(),
    )


@pytest.mark.parametrize("raw", [[], [""], ["", ""], ["", "", "", ""]])
def test_what_is_left_out_takes_its_default_without_a_word(raw):
    assert parse_arguments(raw) == Arguments(500, "", (), False, ())


def test_an_installation_may_have_other_defaults():
    defaults = Defaults(timeout_ms=3000, notify_claimed=True)
    assert parse_arguments([], defaults) == Arguments(3000, "", (), True, ())
    assert parse_arguments(["soon"], defaults).timeout_ms == 3000
    assert parse_arguments(["", "", "", "no"], defaults).notify_claimed is False


def test_the_last_argument_takes_the_rest():
    assert parse_arguments(["", "", "", "yes", "more"]).notify_claimed is False


@pytest.mark.parametrize("recorded", RECORDED["timeouts"], ids=lambda one: repr(one["timeout"]))
def test_a_timeout_is_what_native_makes_of_it(recorded):
    arguments = parse_arguments([recorded["timeout"]])
    assert arguments.timeout_ms == recorded["effective"]
    assert bool(arguments.warnings) == recorded["warns"]


def test_a_warning_quotes_the_timeout_and_names_what_is_used():
    (warning,) = parse_arguments(["60001"]).warnings
    assert "'60001'" in warning
    assert "500 is used" in warning


@needs_glibc
@given(st.text(alphabet="+- \t\n\v0123456789x.,٣", min_size=1, max_size=24))
def test_a_timeout_is_read_as_sscanf_reads_it(text):
    value = scan_int(text)
    arguments = parse_arguments([text])
    if value is not None and 0 <= value <= 60_000:
        assert (arguments.timeout_ms, arguments.warnings) == (value, ())
    else:
        assert arguments.timeout_ms == 500
        assert arguments.warnings


def test_a_timeout_of_any_length_is_read():
    assert parse_arguments(["9" * 10_000]).warnings
    assert parse_arguments(["0" * 10_000 + "7"]).timeout_ms == 7


@pytest.mark.parametrize("word", ["yes", "true", "y", "t", "1", "on", "YES", "On"])
def test_native_yes_asks_for_notification(word):
    assert parse_arguments(["", "", "", word]).notify_claimed is True


@pytest.mark.parametrize("word", ["no", "2", "enabled", " yes", "yes "])
def test_anything_else_is_a_no(word):
    assert parse_arguments(["", "", "", word]).notify_claimed is False


def test_empty_args_between_colons_are_kept():
    assert parse_arguments(["", "", ":a::"]).args == ("", "a", "", "")


def test_more_args_than_native_takes_are_dropped_with_a_warning():
    arguments = parse_arguments(["", "", ":".join(map(str, range(MAX_ARGS + 2)))])
    assert arguments.args == tuple(map(str, range(MAX_ARGS)))
    assert "130" in arguments.warnings[0]
    assert parse_arguments(["", "", ":".join(["x"] * MAX_ARGS)]).warnings == ()


def test_plain_args_move_whole():
    assert movable_args(["sales", "priority-high"]) == ("sales,priority-high", ())
    assert movable_args([]) == ("", ())


def test_an_empty_arg_does_not_move():
    assert movable_args(["a", "", "b"]) == ("a,b", ("argument 2 is empty and is not passed on",))


def test_an_arg_with_a_comma_moves_in_pieces():
    assert movable_args(["a,b"]) == ("a,b", ("argument 1, 'a,b', is cut at its commas",))
