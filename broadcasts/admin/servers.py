"""Asterisk servers: credentials that are never shown, how their links do, what to write there."""

from typing import Any

from asgiref.sync import async_to_sync
from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import HttpRequest, JsonResponse
from django.urls import URLPattern, path
from django.views.decorators.http import require_POST
from unfold.admin import StackedInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminPasswordWidget

from broadcasts.asterisk.probe import Finding, probe
from broadcasts.broker import Server
from broadcasts.models import AsteriskServer, Defaults

from .base import ConfigurationAdmin, OpenChoices, ReasonForm
from .defaults import CHOICES, NATIVE, TROUBLE
from .links import LinkStatus, status_of, with_link
from .snippets import snippets

LABELS = {"connected": "success", "down": "danger", "new": "info", "off": "warning"}
WORDS = {"connected": "connected", "down": "not connected", "new": "not tried yet", "off": "off"}


class ServerForm(ReasonForm):
    """The password goes in and never comes out."""

    new_password = forms.CharField(
        label="Password",
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="Kept encrypted and never shown. Leave it empty to keep the one that is stored.",
    )

    def clean(self) -> dict[str, Any] | None:
        """Ask for the password where there is none, or where it would go somewhere new."""
        values = super().clean() or self.cleaned_data
        given = values.get("new_password")
        if given:
            self.instance.password = given
        elif not self.instance.password:
            self.add_error("new_password", "A server needs a password.")
        elif sent_elsewhere(self.instance.pk, values.get("url", "")):
            self.add_error("new_password", "Type the password again: it goes to a new address.")
        return values


def sent_elsewhere(server_id: int | None, url: str) -> bool:
    """Whether a stored password would go to another address than the one it was entered for."""
    stored = AsteriskServer.objects.filter(pk=server_id).values_list("url", flat=True).first()
    return bool(url) and stored != url


class TestForm(ServerForm):
    """Reads what was typed for a test; nothing of it is saved."""

    class Meta:
        model = AsteriskServer
        fields = ("kind", "url", "username")

    def faults(self) -> str:
        """Return what keeps the values from being tried, field by field."""
        return " ".join(
            f"{self.fields[name].label}: {fault}"
            for name, faults in self.errors.items()
            for fault in faults
        )


class DefaultsInline(OpenChoices, StackedInline):
    model = Defaults
    fields = (*CHOICES, *TROUBLE, *NATIVE)
    autocomplete_fields = ("preset",)
    verbose_name = "defaults of this server"
    verbose_name_plural = "Defaults of this server"
    tab = True
    extra = 0


@admin.register(AsteriskServer)
class AsteriskServerAdmin(ConfigurationAdmin):
    form = ServerForm
    list_display = ("name", "kind", "url", "application", "state", "version", "rest", "calls")
    search_fields = ("name", "url")
    search_help_text = "Name or address"
    list_filter = ("enabled", "kind")
    sortable_by = ("name",)
    inlines = (DefaultsInline,)
    fieldsets = (
        (None, {"fields": ("name", "kind", "url", "application", "enabled")}),
        ("Credentials", {"fields": ("username", "new_password")}),
    )
    change_form_before_template = "admin/broadcasts/server_state.html"
    change_form_outer_after_template = "admin/broadcasts/server_files.html"

    class Media:
        js = ("web/copy.js", "configuration/servers.js")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        return with_link(super().get_queryset(request))

    @display(description="link", label=LABELS)
    def state(self, server: AsteriskServer) -> tuple[str, str]:
        label = status_of(server).label
        return label, WORDS[label]

    @admin.display(description="Asterisk")
    def version(self, server: AsteriskServer) -> str:
        return status_of(server).version

    @admin.display(description="REST")
    def rest(self, server: AsteriskServer) -> str:
        return status_of(server).rest

    @admin.display(description="calls in hand")
    def calls(self, server: AsteriskServer) -> int:
        return status_of(server).calls

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Return the fieldsets; who may only look sees nothing of a password."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        return [fieldsets[0], ("Credentials", {"fields": ("username",)})]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> Any:
        server = context.get("original")
        if server:
            context["link"] = status_of(server)
            context["link_words"] = WORDS[context["link"].label]
            context["snippets"] = snippets(server, request.get_host(), request.is_secure())
        return super().render_change_form(request, context, *args, **options)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Return what would go too; a server whose calls are on record has to stay."""
        kept = [f"the broadcasts of {server} on record" for server in objs if on_record(server)]
        if kept:
            return [], {}, set(), kept
        return super().get_deleted_objects(objs, request)

    def get_urls(self) -> list[URLPattern]:
        test = self.admin_site.admin_view(require_POST(self.test_view))
        name = "broadcasts_asteriskserver_test"
        return [path("test/", test, name=name), *super().get_urls()]

    def test_view(self, request: HttpRequest) -> JsonResponse:
        """Connect with what the form holds, typed or stored; answers `ok` and `words`."""
        key = request.POST.get("server", "")
        stored = AsteriskServer.objects.filter(pk=key).first() if key.isdecimal() else None
        may = self.has_change_permission if stored else self.has_add_permission
        if not may(request):
            raise PermissionDenied
        form = TestForm(request.POST, instance=stored)
        if not form.is_valid():
            return JsonResponse({"ok": False, "words": form.faults()})
        server = form.instance
        if not server.url:
            return JsonResponse(self._awaited(stored))
        return JsonResponse(in_words(async_to_sync(probe)(as_server(server))))

    def _awaited(self, stored: AsteriskServer | None) -> dict[str, Any]:
        """Tell how a server is doing that dials us, and that we cannot dial."""
        server = with_link(AsteriskServer.objects.filter(pk=stored.pk)).first() if stored else None
        link = status_of(server) if server else LinkStatus("new")
        if link.label == "connected":
            return {"ok": True, "words": f"It has dialled us: Asterisk {link.version}."}
        trouble = f" Last: {link.error}." if link.error else ""
        words = (
            f"This Asterisk dials us, which cannot be tried from here. It is {WORDS[link.label]}."
        )
        return {"ok": False, "words": words + trouble}


def on_record(server: AsteriskServer) -> bool:
    """Whether the record names a server."""
    return server.broadcasts.exists()


def as_server(row: AsteriskServer) -> Server:
    """Return what a form holds as the links use it."""
    return Server(
        id=row.pk or 0,
        name=row.name,
        application=row.application,
        url=row.url.rstrip("/"),
        username=row.username,
        password=row.password,
        outbound=False,
    )


def in_words(finding: Finding) -> dict[str, Any]:
    """Return a finding as the page shows it."""
    if finding.trouble:
        trouble = finding.trouble[0].upper() + finding.trouble[1:]
        return {"ok": False, "words": trouble.rstrip(".") + "."}
    rest = "over the socket" if finding.rest_over_socket else "over HTTP"
    return {"ok": True, "words": f"Connected: Asterisk {finding.asterisk_version}, REST {rest}."}
