"""Addresses of the API and of its description."""

from django.urls import path, re_path

from . import changes, reference, reports, views

app_name = "api"

urlpatterns = [
    path("", reference.page, name="reference"),
    path("v1/schema/", reference.Schema.as_view(), name="schema"),
    path("v1/broadcasts/", views.Broadcasts.as_view(), name="broadcasts"),
    path("v1/broadcasts/<int:pk>/", views.OneBroadcast.as_view(), name="broadcast"),
    path("v1/attempts/", views.Attempts.as_view(), name="attempts"),
    path("v1/applications/", views.Applications.as_view(), name="applications"),
    path("v1/links/", views.Links.as_view(), name="links"),
    path("v1/reports/", reports.Reports.as_view(), name="reports"),
    path("v1/changes/", changes.Changes.as_view(), name="changes"),
    path("v1/access-events/", views.AccessEvents.as_view(), name="access_events"),
    re_path(r"^v1/", reference.Nothing.as_view(), name="nothing"),
]
