"""What the pages of the tools have in common."""

from typing import Any

from django import forms
from django.contrib.admin import site
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from unfold.widgets import INPUT_CLASSES, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from broadcasts.models import AsteriskServer

INPUT = " ".join(INPUT_CLASSES)


def tool_page(
    request: HttpRequest, template: str, title: str, context: dict[str, Any]
) -> HttpResponse:
    """Render a page of the admin that belongs to no single model."""
    context = {**site.each_context(request), "title": title, **context}
    return render(request, f"admin/broadcasts/{template}", context)


def text_field(label: str, help_text: str = "", max_length: int = 1024) -> forms.CharField:
    """Return a field for a line of text that may be empty."""
    attrs = {"autocomplete": "off", "spellcheck": "false"}
    return forms.CharField(
        label=label,
        required=False,
        max_length=max_length,
        help_text=help_text,
        widget=UnfoldAdminTextInputWidget(attrs=attrs),
    )


def server_field(empty: str) -> forms.ModelChoiceField:
    """Return a field for an Asterisk server; `empty` says what choosing none means."""
    return forms.ModelChoiceField(
        AsteriskServer.objects.order_by("name"),
        label="Asterisk server",
        required=False,
        empty_label=empty,
        widget=UnfoldAdminSelectWidget,
    )
