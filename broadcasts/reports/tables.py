"""Every report as a table: what the page shows and what exports write, figure by figure.

For an export:

    for table in all_tables(query, zone):    # query: the page's, a list of texts for each name
        table.key, table.title, table.columns    # each column has a key, a label and a kind
        for values in table.values():            # plain values in the columns' order, the sum last
            ...

Values are texts, whole numbers, numbers, aware datetimes of `zone`, or None where there is nothing
to say.
"""

from collections.abc import Mapping, Sequence
from datetime import tzinfo

from django.http import QueryDict
from django.utils import timezone

from .applications import Applications
from .figures import Table
from .over_time import OverTime
from .periods import PeriodForm
from .reading import read
from .time_outs import time_outs

Query = Mapping[str, Sequence[str]]


class ReportRefused(ValueError):
    """A report that cannot be made; the message says why."""


def all_tables(query: Query, zone: tzinfo) -> list[Table]:
    """Return every report, of every application, as the page's address asks for it.

    Raises:
        ReportRefused: the query names no period or no server.
    """
    with timezone.override(zone):
        form = PeriodForm(as_form_data(query))
        if not form.is_valid():
            raise ReportRefused("\n".join(problems(form)))
        reading = read(form.asked())
    over_time, applications = OverTime(reading), Applications(reading)
    return [
        over_time.outcomes(),
        over_time.latency(),
        applications.table(applications.ranked()),
        time_outs(reading),
        over_time.failed_handovers(),
    ]


def as_form_data(query: Query) -> QueryDict:
    data = QueryDict(mutable=True)
    for name, values in query.items():
        data.setlist(name, list(values))
    return data


def problems(form: PeriodForm) -> list[str]:
    """Return what is wrong with a form, each with the label of its field."""
    return [
        f"{form.fields[name].label}: {message}"
        for name, messages in form.errors.items()
        for message in messages
    ]
