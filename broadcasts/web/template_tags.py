"""What the templates of people's pages say alike: load it as `record`."""

from typing import Any

from django import template
from django.utils import timezone

from broadcasts import access
from broadcasts.web import cells, words
from broadcasts.web.numbers_views import ReasonForm

register = template.Library()

register.filter(words.duration)
register.filter(words.thousands)
register.filter(words.rows)
register.filter(words.exact)
register.filter(words.moment)
register.filter(cells.chip)


@register.inclusion_tag("web/parts/zone_note.html", takes_context=True)
def zone_note(context: dict[str, Any]) -> dict[str, Any]:
    """Say which zone times are in, and lead to where it can be changed."""
    return {
        "zone": str(timezone.get_current_timezone()),
        "words": words.zone_in_words(),
        "here": context["request"].get_full_path(),
    }


@register.inclusion_tag("web/parts/numbers_bar.html", takes_context=True)
def numbers_bar(context: dict[str, Any]) -> dict[str, Any]:
    """Say whether callers' numbers are masked, with a way to change that for who may."""
    request = context["request"]
    return {
        "until": access.unmasked_until(request),
        "may_unmask": request.user.has_perm(access.MAY_UNMASK),
        "form": ReasonForm(),
        "here": request.get_full_path(),
        "csrf_token": context["csrf_token"],
    }
