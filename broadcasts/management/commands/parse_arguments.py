"""Show how the arguments of a broadcast are read."""

from dataclasses import asdict
from typing import Any

from broadcasts.domain.arguments import parse_arguments
from broadcasts.management.json_lines import JsonLinesCommand, texts

ANSWERED = ("timeout_ms", "app_filter", "args", "notify_claimed", "warnings")


class Command(JsonLinesCommand):
    help = (
        'Reads JSON lines {"args": [...]} as StasisStart carries them on standard input and prints '
        '{"timeout_ms": ..., "app_filter": ..., "args": [...], "notify_claimed": ..., '
        '"warnings": [...]} for each.'
    )

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        read = asdict(parse_arguments(texts(request, "args")))
        return {name: read[name] for name in ANSWERED}
