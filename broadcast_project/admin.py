"""The admin's site: one way in and out with people's other pages, and the page of all changes.

It stands outside `broadcasts.admin`, as Django asks for it before that package can be imported.
"""

from typing import Any

from django.contrib.auth.views import LogoutView, redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.urls import URLPattern, path
from unfold.sites import UnfoldAdminSite


class AdminSite(UnfoldAdminSite):
    """Signs people in and out where every other page does."""

    index_title = "Administration"
    enable_nav_sidebar = True

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Lead to the sign-in; who is signed in already may not enter."""
        if self.has_permission(request):
            return HttpResponseRedirect(resolve_url("admin:index"))
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next") or resolve_url("admin:index"))

    def logout(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return LogoutView.as_view(next_page="web:sign_in")(request)

    def extra_urls(self) -> list[URLPattern]:
        """Return the addresses of pages that belong to no single model."""
        from broadcasts.admin.changes import changes_view
        from broadcasts.admin.tools import TOOLS

        views = {"changes": changes_view, **TOOLS}
        return [
            path(f"{name.replace('_', '-')}/", self.admin_view(view), name=name)
            for name, view in views.items()
        ]
