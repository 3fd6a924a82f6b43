"""Where the version of a preset that a call used can be seen."""

from collections.abc import Iterable

from django.db.models import Q
from django.http import HttpRequest
from django.urls import reverse

from broadcasts.history.changes import permission_to_see
from broadcasts.history.columns import Row, preset_used
from broadcasts.models import Preset


def version_links(request: HttpRequest, rows: Iterable[Row]) -> dict[str, str]:
    """Return the pages of these rows' presets by how the column `preset` tells them.

    Empty for who may not see them. One query, however many rows.
    """
    used = {(row["preset_name"], row["preset_version"]) for row in rows if row.get("preset_name")}
    user = request.user
    if not used or not (user.is_staff and user.has_perm(permission_to_see(Preset))):
        return {}
    wanted = Q(pk__in=[])
    for name, version in used:
        wanted |= Q(name=name, version=version)
    entries = Preset.history.filter(wanted).exclude(history_type="-").order_by("history_id")
    columns = ("name", "version", "id", "history_id")
    return {
        preset_used({"preset_name": name, "preset_version": version}): reverse(
            "admin:broadcasts_preset_version", args=[key, entry]
        )
        for name, version, key, entry in entries.values_list(*columns)
    }
