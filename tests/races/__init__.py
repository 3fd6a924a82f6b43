"""Races between processes, each of which is started as a module of this package."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "broadcast_project.settings")
django.setup()
