from django.apps import AppConfig


class BroadcastsConfig(AppConfig):
    name = "broadcasts"
    verbose_name = "Stasis Broadcast"
    default_auto_field = "django.db.models.BigAutoField"
