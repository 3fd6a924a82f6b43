"""The page of the reports."""

from typing import Any

from django.contrib.auth.decorators import login_required, permission_required
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from broadcasts.access import MAY_SEE_RECORD
from broadcasts.domain.histogram import RELATIVE_ERROR
from broadcasts.models import SavedFilter
from broadcasts.reports.applications import COLUMNS, SORTABLE, USUAL_SORT, Applications
from broadcasts.reports.over_time import OverTime
from broadcasts.reports.periods import PERIODS, USUAL_PERIOD, Period
from broadcasts.reports.reading import Reading, read
from broadcasts.reports.time_outs import time_outs
from broadcasts.web import report_charts, report_figures
from broadcasts.web.report_figures import Heading
from broadcasts.web.report_form import ReportsForm
from broadcasts.web.saved_views import listed
from broadcasts.web.words import minute

PER_PAGE = 25


@require_safe
@login_required
@permission_required(MAY_SEE_RECORD, raise_exception=True)
def reports(request: HttpRequest) -> HttpResponse:
    """Every report of the period that the address asks for."""
    form = ReportsForm(request.GET)
    choice = [form[name] for name in ("first", "last", "server")]
    context = {
        "form": form,
        "periods": period_links(form),
        "choice": choice,
        **listed(request, SavedFilter.Page.REPORTS),
    }
    if form.faults:
        return render(request, "web/reports.html", context, status=400)
    return render(request, "web/reports.html", context | shown(read(form.asked()), form))


def period_links(form: ReportsForm) -> list[dict[str, Any]]:
    """Return the usual periods, each with its address; days chosen by date are none of them."""
    current = "" if form.by_days else form.data.get("period") or USUAL_PERIOD
    return [
        {
            "label": label,
            "address": form.address(period=key, first="", last="", page=""),
            "current": key == current,
        }
        for key, (label, _) in PERIODS.items()
    ]


def shown(reading: Reading, form: ReportsForm) -> dict[str, Any]:
    """Return what the page says of a reading."""
    over_time, applications = OverTime(reading), Applications(reading)
    ranked = applications.ranked(form.cleaned_data["sort"] or USUAL_SORT)
    page = Paginator(ranked, PER_PAGE).get_page(form.cleaned_data["page"] or 1)
    by_application = applications.table(page.object_list)
    tables = [
        over_time.outcomes(),
        over_time.latency(),
        by_application,
        time_outs(reading),
        over_time.failed_handovers(),
    ]
    step, sorts = reading.period.step, headings(form)
    return {
        "complete": reading.complete,
        "said": period_in_words(reading.period),
        "step": step,
        "error_percent": f"{RELATIVE_ERROR:.0%}".replace("%", " %"),
        "tiles": report_figures.tiles(tables),
        "is_empty": not tables[0].total[-1].value,
        "charts": report_charts.charts(tables, step),
        "page": page,
        "pages": page_links(page, form),
        **{
            table.key: report_figures.shown(table, step, sorts if table is by_application else {})
            for table in tables
        },
    }


def period_in_words(period: Period) -> str:
    since, until = period.span
    return f"From {minute(since)} until {minute(until)}, by the {period.step}"


def headings(form: ReportsForm) -> dict[str, Heading]:
    """Return the heads of the applications' columns that one can sort by."""
    current = form.cleaned_data["sort"] or USUAL_SORT
    sortable = {}
    for column in COLUMNS:
        if column.key not in SORTABLE:
            continue
        up, down = column.key, f"-{column.key}"
        # Numbers begin with the largest, names with A.
        usual, other = (up, down) if column.kind == "text" else (down, up)
        sortable[column.key] = Heading(
            column.label,
            form.address(sort=other if current == usual else usual, page="") + "#applications",
            {up: "ascending", down: "descending"}.get(current, ""),
        )
    return sortable


def page_links(page: Page, form: ReportsForm) -> dict[str, str]:
    """Return the addresses of the pages beside this one."""
    links = {}
    if page.has_previous():
        links["previous"] = form.address(page=str(page.previous_page_number()))
    if page.has_next():
        links["next"] = form.address(page=str(page.next_page_number()))
    return links
