"""Addresses of people's pages and of what monitors the service."""

from django.contrib.auth.views import LogoutView
from django.urls import path, register_converter

from broadcasts.web import (
    broadcast_views,
    export_views,
    history_views,
    monitoring,
    numbers_views,
    report_views,
    saved_views,
    schedule_views,
    tokens,
    views,
    zones,
)
from broadcasts.web.sign_in import SignIn

app_name = "web"

register_converter(saved_views.PageConverter, "page")

urlpatterns = [
    path("", views.live_board, name="live_board"),
    path("history/", history_views.history, name="history"),
    path("<page:page>/saved/", saved_views.save, name="save_filter"),
    path("<page:page>/saved/<int:key>/", saved_views.open_saved, name="saved_filter"),
    path("<page:page>/saved/<int:key>/change/", saved_views.change, name="change_filter"),
    path("<page:page>/saved/<int:key>/delete/", saved_views.delete, name="delete_filter"),
    path("broadcasts/<int:key>/", broadcast_views.broadcast, name="broadcast"),
    path("numbers/", numbers_views.unmask, name="unmask_numbers"),
    path("numbers/mask/", numbers_views.mask, name="mask_numbers"),
    path("zone/", zones.zone, name="zone"),
    path("reports/", report_views.reports, name="reports"),
    path("exports/", export_views.exports, name="exports"),
    path("exports/new/", export_views.export_new, name="export_new"),
    path("exports/<uuid:key>/", export_views.export, name="export"),
    path("exports/<uuid:key>/state/", export_views.export_state, name="export_state"),
    path("exports/<uuid:key>/cancel/", export_views.export_cancel, name="export_cancel"),
    path("exports/<uuid:key>/download/", export_views.export_download, name="export_download"),
    path("schedules/", schedule_views.schedule_list, name="schedules"),
    path("schedules/new/", schedule_views.schedule_new, name="schedule_new"),
    path("schedules/<int:key>/", schedule_views.schedule_change, name="schedule_change"),
    path("schedules/<int:key>/pause/", schedule_views.schedule_pause, name="schedule_pause"),
    path("schedules/<int:key>/run/", schedule_views.schedule_run, name="schedule_run"),
    path("schedules/<int:key>/delete/", schedule_views.schedule_delete, name="schedule_delete"),
    path("sign-in/", SignIn.as_view(), name="sign_in"),
    path("sign-out/", LogoutView.as_view(next_page="web:sign_in"), name="sign_out"),
    path("tokens/", tokens.tokens, name="tokens"),
    path("tokens/end/", tokens.end_token, name="end_token"),
    path("healthz", monitoring.healthz, name="healthz"),
    path("readyz", monitoring.readyz, name="readyz"),
    path("metrics", monitoring.metrics, name="metrics"),
]
