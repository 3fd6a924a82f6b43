from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("api/", include("broadcasts.api.urls")),
    path("", include("broadcasts.web.urls")),
]
