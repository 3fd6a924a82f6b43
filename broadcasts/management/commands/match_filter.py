"""Tell which applications a filter would let a broadcast go to."""

from typing import Any

from broadcasts.domain.app_filter import FilterRefused, compile_filter
from broadcasts.management.json_lines import JsonLinesCommand, text, texts


class Command(JsonLinesCommand):
    help = (
        'Reads JSON lines {"filter": ..., "apps": [...]} on standard input and prints '
        '{"refused": true|false, "reason": ..., "delivered": [...]} for each.'
    )

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        pattern, apps = text(request, "filter"), texts(request, "apps")
        try:
            app_filter = compile_filter(pattern)
        except FilterRefused as refusal:
            return {"refused": True, "reason": refusal.reason, "delivered": []}
        delivered = [app for app in apps if app_filter.admits(app)]
        return {"refused": False, "reason": "", "delivered": delivered}
