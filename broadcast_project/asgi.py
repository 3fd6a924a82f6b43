"""The ASGI application."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "broadcast_project.settings")
django = get_asgi_application()

# Only now are the models loaded that these need.
from broadcasts.entrance import Entrance
from broadcasts.service import Service

application = Entrance(django, Service())
