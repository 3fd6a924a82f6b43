"""Addresses of people's pages and of what monitors the service."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from broadcasts.web import monitoring, tokens, views

app_name = "web"

SIGN_IN = LoginView.as_view(template_name="web/sign_in.html", redirect_authenticated_user=True)

urlpatterns = [
    path("", views.live_board, name="live_board"),
    path("sign-in/", SIGN_IN, name="sign_in"),
    path("sign-out/", LogoutView.as_view(next_page="web:sign_in"), name="sign_out"),
    path("tokens/", tokens.tokens, name="tokens"),
    path("tokens/end/", tokens.end_token, name="end_token"),
    path("healthz", monitoring.healthz, name="healthz"),
    path("readyz", monitoring.readyz, name="readyz"),
    path("metrics", monitoring.metrics, name="metrics"),
]
