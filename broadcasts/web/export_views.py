"""Exports: asked for, watched, fetched."""

from collections.abc import AsyncIterator
from functools import wraps
from pathlib import Path
from typing import Any, BinaryIO

from asgiref.sync import sync_to_async
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import ValidationError
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    JsonResponse,
    QueryDict,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import (
    require_GET,
    require_http_methods,
    require_POST,
    require_safe,
)

from broadcasts import access
from broadcasts.exports import jobs, making, rights, words
from broadcasts.exports.delivery import deliver, file_name
from broadcasts.exports.tables import ExportRefused
from broadcasts.models import AccessEvent, Export, SavedFilter, Wanted
from broadcasts.web.export_forms import Asked, as_data, with_defaults
from broadcasts.web.words import rows as in_rows

# More rows than these are made by a process of its own: the calls' has no time for them.
DIRECT_ROWS = 5_000
# Up to how many rows the page says how many there will be.
COUNTED = 100_000
LISTED = 50
PIECE = 1 << 18
LONGEST_KEY = 18

View = Any


def exporting(view: View) -> View:
    """Let those in who may export."""

    @login_required
    @permission_required(access.MAY_EXPORT, raise_exception=True)
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return view(request, *args, **kwargs)

    return guarded


@exporting
@require_safe
def exports(request: HttpRequest) -> HttpResponse:
    """List the visitor's own exports, newest first."""
    found = Export.objects.filter(owner=request.user).select_related("schedule")[:LISTED]
    return render(
        request, "web/exports.html", {"exports": [shown(one, request.user) for one in found]}
    )


@exporting
@require_http_methods(["GET", "HEAD", "POST"])
def export_new(request: HttpRequest) -> HttpResponse:
    """Ask for an export; a small one is sent at once, a large one made by another process."""
    asks = request.method == "POST"
    asked = Asked(request.POST if asks else begun_with(request), request.user)
    tables = []
    if asked.valid:
        try:
            tables = making.tables_for(asked.wanted, request.user)
        except ExportRefused as error:
            asked.fault = str(error)
    if asks and tables and "look" not in request.POST:
        return made_or_begun(request, asked.wanted, tables)
    context = {
        "asked": asked,
        "rows": count_in_words(tables) if tables else "",
        "saved": saved_filters(request),
    }
    status = 400 if asks and not tables else 200
    with in_its_zone(asked):
        return render(request, "web/export_new.html", context, status=status)


def in_its_zone(asked: Asked) -> Any:
    """Show the times of a filter as they are going to be read: in the zone of the export."""
    return timezone.override(making.zone_of(asked.wanted))


def begun_with(request: HttpRequest) -> QueryDict:
    """Return what a form begins with: an address's own words, an earlier export or a saved filter.

    By its key, so that a number that somebody searched for is in no address.
    """
    if again := request.GET.get("again"):
        return as_data(visible(request, again))
    if saved := request.GET.get("saved"):
        return with_defaults(of_saved(get_object_or_404(saved_filters(request), pk=number(saved))))
    return with_defaults(request.GET)


def number(text: str) -> int:
    """Return a key of an address; 404 for what is none."""
    if not text.isascii() or not text.isdecimal() or len(text) > LONGEST_KEY:
        raise Http404
    return int(text)


def of_saved(saved: SavedFilter) -> QueryDict:
    """Return a saved filter as an address would ask for it."""
    history = saved.page == SavedFilter.Page.HISTORY
    kind = Wanted.Kind.RECORD if history else Wanted.Kind.REPORTS
    data = QueryDict(f"kind={kind}", mutable=True)
    for name, values in {**saved.query, "columns": saved.columns}.items():
        data.setlist(name, values)
    return data


def saved_filters(request: HttpRequest) -> Any:
    """Return the saved filters that an export may begin with."""
    return SavedFilter.objects.seen_by(request.user).select_related("owner")


def count_in_words(tables: list[Any]) -> str:
    """Return how many rows there will be; of many, only that they are many."""
    found = making.count(tables, COUNTED + 1)
    if found > COUNTED:
        return f"more than {in_rows(COUNTED)}"
    return in_rows(found)


def made_or_begun(request: HttpRequest, export: Export, tables: list[Any]) -> HttpResponse:
    """Send a small export; let a large one be made."""
    export.owner = request.user
    if making.count(tables, DIRECT_ROWS + 1) > DIRECT_ROWS:
        export.save()
        return redirect("web:export", export.pk)
    now = timezone.now()
    export.state, export.started_at, export.seen_at = Export.State.RUNNING, now, now
    export.save()
    jobs.run(export, deliver, access.address_of(request))
    export.refresh_from_db()
    if export.state != Export.State.DONE:
        return redirect("web:export", export.pk)
    return package(export)


@never_cache
@exporting
@require_safe
def export(request: HttpRequest, key: Any) -> HttpResponse:
    """Show how far an export is, and where its package can be fetched."""
    found = visible(request, key)
    context = {"export": shown(found, request.user), "columns": words.columns_in_words(found)}
    return render(request, "web/export.html", context)


@never_cache
@exporting
@require_GET
def export_state(request: HttpRequest, key: Any) -> HttpResponse:
    """Say how far an export is, to the page that shows it."""
    found = visible(request, key)
    return JsonResponse(
        {"state": found.state, "rows_done": found.rows_done, "rows_total": found.rows_total}
    )


@exporting
@require_POST
def export_cancel(request: HttpRequest, key: Any) -> HttpResponse:
    """Stop an export that is not made yet."""
    found = visible(request, key)
    jobs.cancel(found)
    return redirect("web:export", found.pk)


@never_cache
@exporting
@require_safe
def export_download(request: HttpRequest, key: Any) -> HttpResponse:
    """Send a package; that it was fetched goes on record."""
    found = visible(request, key)
    if found.state != Export.State.DONE or not rights.may_fetch(request.user, found):
        raise Http404
    response = package(found)
    if request.method == "GET":
        access.note(request, AccessEvent.Kind.DOWNLOAD, number=str(found.pk), sha256=found.sha256)
    return response


def visible(request: HttpRequest, key: Any) -> Export:
    """Return an export that the visitor may see: their own; a superuser sees everybody's."""
    seen = Export.objects.select_related("schedule", "owner")
    if not request.user.is_superuser:
        seen = seen.filter(owner=request.user)
    try:
        return get_object_or_404(seen, pk=key)
    except ValidationError as error:  # No key at all.
        raise Http404 from error


def shown(export: Export, person: Any) -> dict[str, Any]:
    """Return an export as pages show it to somebody."""
    return {
        "row": export,
        "filter": words.filter_in_words(export, rights.in_full_for(person, export)),
        "in_progress": export.state in (Export.State.WAITING, Export.State.RUNNING),
        "ready": export.state == Export.State.DONE,
        "barred": not rights.may_fetch(person, export),
        "lost": export.state == Export.State.DONE and not jobs.path_of(export).exists(),
    }


def package(export: Export) -> HttpResponse:
    """Send a package's file, piece by piece; 404 when it is not on this host (any more)."""
    try:
        content = jobs.path_of(export).open("rb")
    except FileNotFoundError as error:
        raise Http404 from error
    response = StreamingHttpResponse(pieces(content), content_type="application/zip")
    response["Content-Length"] = Path(content.name).stat().st_size
    response["Content-Disposition"] = f'attachment; filename="{file_name(export)}"'
    return response


async def pieces(content: BinaryIO) -> AsyncIterator[bytes]:
    """Yield a file without keeping the event loop waiting for the disk."""
    read = sync_to_async(content.read, thread_sensitive=False)
    with content:
        while piece := await read(PIECE):
            yield piece
