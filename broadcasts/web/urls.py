"""Addresses of people's pages and of what monitors the service."""

from django.contrib.auth.views import LogoutView
from django.urls import path

from broadcasts.web import monitoring, views

app_name = "web"

urlpatterns = [
    path("", views.live_board, name="live_board"),
    path("sign-out/", LogoutView.as_view(next_page="web:live_board"), name="sign_out"),
    path("healthz", monitoring.healthz, name="healthz"),
    path("readyz", monitoring.readyz, name="readyz"),
    path("metrics", monitoring.metrics, name="metrics"),
]
