from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig


class AdminConfig(DjangoAdminConfig):
    """The admin, with our own site in the place of Django's."""

    default_site = "broadcast_project.admin.AdminSite"
