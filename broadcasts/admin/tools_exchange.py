"""Import and export of presets and rules: what an import changes is shown before it is applied."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, NamedTuple

from django import forms
from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.text import capfirst
from unfold.widgets import UnfoldAdminTextareaWidget

from broadcasts.configuration_io import (
    FORMATS,
    Change,
    ImportRefused,
    Kind,
    export_document,
    import_document,
)
from broadcasts.history.words import in_words
from broadcasts.models import Preset, Revision, Rule

from .tools_page import INPUT, text_field, tool_page

# Of a file; what is typed has to be less than Django takes in the fields of a form
# (DATA_UPLOAD_MAX_MEMORY_SIZE).
MOST_BYTES = 10_000_000
MOST_CHARACTERS = 2_000_000
# What was shown goes to the page and back packed, and is good for a day.
SALT, GOOD_FOR = "import", timedelta(days=1)
# Changes that are listed; the others are counted.
MOST_LISTED = 500
CONTENT_TYPES = {"yaml": "application/yaml", "json": "application/json"}
MODELS = ("preset", "rule")


class ImportForm(forms.Form):
    """A document, in a file or typed, and why it is imported.

    `packed` is one whose difference was shown; it counts before the others.
    """

    file = forms.FileField(
        label="File",
        required=False,
        help_text="YAML or JSON, as the export writes it.",
        widget=forms.FileInput({"class": INPUT}),
    )
    document = forms.CharField(
        label="Or its text",
        required=False,
        strip=False,
        max_length=MOST_CHARACTERS,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 10, "spellcheck": "false"}),
    )
    change_reason = text_field("Reason for this change", "Optional; kept in the history.", 255)
    packed = forms.CharField(required=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any] | None:
        """Read the document; a file counts before what is typed."""
        values = super().clean() or self.cleaned_data
        if packed := values.get("packed"):
            values["document"] = self._unpack(packed)
        elif file := values.get("file"):
            values["document"] = self._read(file)
        if not self.errors and not values.get("document", "").strip():
            self.add_error("file", "Choose a file, or type what to import.")
        return values

    def _read(self, file: Any) -> str:
        if file.size > MOST_BYTES:
            self.add_error("file", f"It is larger than {MOST_BYTES:,} bytes.")
            return ""
        try:
            return file.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            self.add_error("file", "It is not a text in UTF-8.")
            return ""

    def _unpack(self, packed: str) -> str:
        try:
            return signing.loads(packed, salt=SALT, max_age=GOOD_FOR)
        except signing.BadSignature:
            self.add_error("file", "What was shown is not to be had any more. Choose it again.")
            return ""


def pack(document: str) -> str:
    """Return a document as the form takes it back: small, and nobody else's."""
    return signing.dumps(document, salt=SALT, compress=True)


Row = tuple[str, str, str]
SHOWN = {"preset": Preset, "rule": Rule}


def rows(change: Change) -> Iterator[Row]:
    """Yield each field that is changed: its label, what it was and what it becomes, in words."""
    for name, (old, new) in change.fields.items():
        field = SHOWN[change.what]._meta.get_field(name)
        yield capfirst(str(field.verbose_name)), in_words(field, old), in_words(field, new)


class Difference(NamedTuple):
    """What an import would change, at one revision of the configuration."""

    changes: list[Change]
    revision: int

    @property
    def told(self) -> list[tuple[Change, list[Row]]]:
        """Those that change something, as many as are listed, with what each field becomes."""
        changed = [one for one in self.changes if one.kind is not Kind.UNCHANGED]
        return [(one, list(rows(one))) for one in changed[:MOST_LISTED]]

    @property
    def counts(self) -> list[tuple[str, int]]:
        return [(kind, sum(one.kind is kind for one in self.changes)) for kind in Kind]

    @property
    def unlisted(self) -> int:
        changed = sum(one.kind is not Kind.UNCHANGED for one in self.changes)
        return max(0, changed - MOST_LISTED)


def exchange_view(request: HttpRequest) -> HttpResponse:
    """Offer export and import; a POST shows the difference or, with `apply`, makes it."""
    if not may_export(request):
        raise PermissionDenied
    context: dict[str, Any] = {"formats": FORMATS, "may_import": may_import(request)}
    form = ImportForm()
    if request.method == "POST":
        if not context["may_import"]:
            raise PermissionDenied
        form = ImportForm(request.POST, request.FILES)
        if form.is_valid():
            try:
                difference, applied = imported(request, form.cleaned_data)
            except ImportRefused as refusal:
                context["faults"] = refusal.faults[:MOST_LISTED]
            else:
                if applied:
                    return HttpResponseRedirect(reverse("admin:exchange"))
                document = form.cleaned_data["document"]
                context |= {"difference": difference, "packed": pack(document)}
    return tool_page(request, "exchange.html", "Import and export", {**context, "form": form})


def imported(request: HttpRequest, values: dict[str, Any]) -> tuple[Difference, bool]:
    """Return the difference that a document makes, and whether it was made.

    It is made only on what the visitor has seen: where something was changed meanwhile, the new
    difference is shown first. Raises ImportRefused.
    """
    revision, wanted = Revision.current(), "apply" in request.POST
    applied = wanted and request.POST.get("revision") == str(revision)
    changes = import_document(
        values["document"],
        dry_run=not applied,
        reason=values["change_reason"],
        revision=revision,
    )
    if applied:
        messages.success(request, "The document was imported. It counts from the next call on.")
    elif wanted:
        messages.warning(request, "The configuration was changed meanwhile. Look once more.")
    return Difference(changes, revision), applied


def export_view(request: HttpRequest) -> HttpResponse:
    """Send presets and rules as a file in the `format` asked for."""
    if not may_export(request):
        raise PermissionDenied
    file_format = request.GET.get("format", FORMATS[0])
    if file_format not in FORMATS:
        raise Http404
    content_type = f"{CONTENT_TYPES[file_format]}; charset=utf-8"
    answer = HttpResponse(export_document(file_format), content_type=content_type)
    answer["Content-Disposition"] = f'attachment; filename="broadcast-configuration.{file_format}"'
    return answer


def may_export(request: HttpRequest) -> bool:
    """Whether the visitor may see all that an export tells."""
    return request.user.has_perms([f"broadcasts.view_{model}" for model in MODELS])


def may_import(request: HttpRequest) -> bool:
    """Whether the visitor may do all that an import does."""
    actions = ("view", "add", "change", "delete")
    return request.user.has_perms(
        [f"broadcasts.{act}_{model}" for act in actions for model in MODELS]
    )
