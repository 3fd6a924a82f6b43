import io
import json

import pytest
from django.core.management import CommandError, call_command


@pytest.fixture
def answers(monkeypatch):
    """Run a command on lines of input; return its answers and whether it failed."""

    def run(command, *lines):
        stdin = io.TextIOWrapper(io.BytesIO("".join(f"{line}\n" for line in lines).encode()))
        monkeypatch.setattr("sys.stdin", stdin)
        stdout = io.StringIO()
        try:
            call_command(command, stdout=stdout)
        except CommandError as error:
            failed = error.returncode == 1
        else:
            failed = False
        return [json.loads(line) for line in stdout.getvalue().splitlines()], failed

    return run


def test_match_filter_tells_who_is_admitted(answers):
    assert answers(
        "match_filter",
        '{"filter": "^ivr", "apps": ["ivr-1", "sales", "ivr", "ivr"]}',
        '{"filter": "", "apps": ["é"]}',
    ) == (
        [
            {"refused": False, "reason": "", "delivered": ["ivr-1", "ivr", "ivr"]},
            {"refused": False, "reason": "", "delivered": ["é"]},
        ],
        False,
    )


def test_match_filter_tells_why_a_filter_is_refused(answers):
    assert answers("match_filter", '{"filter": "(ivr", "apps": ["ivr"]}') == (
        [{"refused": True, "reason": "a '(' is not closed", "delivered": []}],
        False,
    )


def test_parse_arguments_shows_what_is_read(answers):
    assert answers("parse_arguments", '{"args": ["250ms", "^a", "x::y", "on"]}') == (
        [
            {
                "timeout_ms": 250,
                "app_filter": "^a",
                "args": ["x", "", "y"],
                "notify_claimed": True,
                "warnings": [],
            }
        ],
        False,
    )


@pytest.mark.parametrize(
    ("command", "bad", "complaint"),
    [
        ("match_filter", "nonsense", "not a line of JSON"),
        ("match_filter", "[]", "not a JSON object"),
        ("match_filter", '{"apps": []}', '"filter" has to be a string'),
        ("match_filter", '{"filter": "a", "apps": ["a", 1]}', '"apps" has to be a list'),
        ("parse_arguments", '{"args": "2000"}', '"args" has to be a list of strings'),
        ("parse_arguments", "[" * 100_000, "not a line of JSON"),
    ],
)
def test_a_bad_line_is_answered_and_the_rest_is_not_lost(answers, command, bad, complaint):
    good = '{"filter": "", "apps": [], "args": []}'
    (before, answer, after), failed = answers(command, good, bad, good)
    assert complaint in answer["error"]
    assert "error" not in before
    assert before == after
    assert failed


def test_empty_lines_are_passed_over(answers):
    assert answers("parse_arguments", "", "  ") == ([], False)
