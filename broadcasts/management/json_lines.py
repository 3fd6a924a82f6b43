"""Commands that read JSON lines on standard input and answer each with one on standard output."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError


class JsonLinesCommand(BaseCommand):
    """Answers line by line, so that it can stand at either end of a pipe.

    A line that cannot be read is answered with `{"error": ...}`; the rest is answered all the same
    and the exit code is 1. Empty lines are passed over.
    """

    requires_system_checks: list[str] = []

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Return the answer to one line; raise ValueError for a request that makes no sense."""
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:
        errors = 0
        for line in sys.stdin.buffer:
            if not line.strip():
                continue
            try:
                answer = self.answer(_object(line))
            except ValueError as error:
                errors += 1
                answer = {"error": str(error)}
            self.stdout.write(json.dumps(answer))
            self.stdout.flush()
        if errors:
            raise CommandError(f"{errors} line(s) could not be read")


def text(request: dict[str, Any], key: str) -> str:
    """Return the text under a key of a request; raise ValueError when there is none."""
    value = request.get(key)
    if not isinstance(value, str):
        raise ValueError(f'"{key}" has to be a string')
    return value


def texts(request: dict[str, Any], key: str) -> list[str]:
    """Return the list of texts under a key of a request; raise ValueError when there is none."""
    value = request.get(key)
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError(f'"{key}" has to be a list of strings')
    return value


def _object(line: bytes) -> dict[str, Any]:
    try:
        request = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not a line of JSON: {error}") from error
    if not isinstance(request, dict):
        raise ValueError("not a JSON object")
    return request
