"""What an address of the reports asks for, and what is wrong with it."""

from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import QueryDict

from broadcasts.reports.applications import SORTABLE
from broadcasts.reports.periods import PeriodForm
from broadcasts.reports.tables import problems

# Far beyond any number of pages; what is larger is no page.
LAST_PAGE = 10_000

ORDERS = [(f"{sign}{key}", key) for key in SORTABLE for sign in ("", "-")]
# What else an address may say: a page of the applications, the saved filter that it is from.
BESIDES = ("page", "saved")


class ReportsForm(PeriodForm):
    """What the page's address may ask for."""

    sort = forms.ChoiceField(label="Order", required=False, choices=ORDERS)
    page = forms.IntegerField(label="Page", required=False, min_value=1, max_value=LAST_PAGE)
    saved = forms.CharField(label="Saved filter", required=False)

    # Reports have no columns to choose.
    keys = ()

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        for name in ("first", "last"):
            self.fields[name].widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")

    @property
    def faults(self) -> list[str]:
        """What of the address cannot be asked for, in words."""
        unknown = [name for name in self.data if name not in self.fields]
        return [f"The reports cannot be asked for “{name}”." for name in unknown] + problems(self)

    @property
    def by_days(self) -> bool:
        """Whether days are named; no other period counts beside them."""
        return bool(self.data.get("first") or self.data.get("last"))

    @property
    def filters(self) -> dict[str, list[str]]:
        """The values in force, by name, without the empty ones and the page."""
        idle = (*BESIDES, "period") if self.by_days else BESIDES
        values = {name: self.data.get(name) for name in self.fields if name not in idle}
        return {name: [value] for name, value in values.items() if value}

    @property
    def restated(self) -> str:
        """What is in force as a query, and nothing else of the address."""
        return urlencode(self.filters, doseq=True)

    def address(self, **other: Any) -> str:
        """Return the query of this page, with other values for some names; "": without it."""
        query = QueryDict(mutable=True)
        for name in self.fields:
            if value := other.get(name, self.data.get(name, "")):
                query[name] = value
        return f"?{query.urlencode()}"
