from django.apps import AppConfig
from django.db.models.signals import post_migrate


class BroadcastsConfig(AppConfig):
    name = "broadcasts"
    verbose_name = "Stasis Broadcast"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Models cannot be imported any earlier.
        from . import access  # noqa: F401 (it listens to sign-ins)
        from .models.people import create_roles

        post_migrate.connect(create_roles, sender=self)
