"""Users and groups."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.http import HttpRequest
from django.utils.safestring import mark_safe
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from .base import ConfigurationAdmin, ReasonForm

admin.site.unregister(User)
admin.site.unregister(Group)

# Whoever could change these could make themselves a superuser.
FOR_SUPERUSERS = ("is_superuser", "user_permissions")


class UserForm(UserChangeForm, ReasonForm):
    pass


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ConfigurationAdmin):
    """Accounts; those of superusers are changed by superusers only."""

    form = UserForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "first_name", "last_name", "email", "is_staff", "is_active")
    list_filter = ("is_staff", "is_superuser", "is_active", "groups")
    autocomplete_fields = ("groups",)

    fieldsets = (
        (None, {"fields": ("username", "set_password")}),
        ("Name", {"fields": ("first_name", "last_name", "email")}),
        (
            "What they may do",
            {"fields": ("is_active", "is_staff", "is_superuser", "groups", "user_permissions")},
        ),
        ("When", {"fields": ("last_login", "date_joined")}),
    )

    @admin.display(description="password")
    def set_password(self, user: User) -> str:
        """Return the way to another password; of the present one nothing is shown."""
        return mark_safe('<a class="inside" href="../password/">Set a new password</a>')

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Return the fieldsets; who may only look cannot set a password."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        return [(None, {"fields": ("username",)}), *fieldsets[1:]]

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        fields = ("set_password", "last_login", "date_joined")
        return fields if request.user.is_superuser else fields + FOR_SUPERUSERS

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and may_touch(request, obj)


def may_touch(request: HttpRequest, user: Any) -> bool:
    """Whether an account is not above the visitor's."""
    return request.user.is_superuser or not getattr(user, "is_superuser", False)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ConfigurationAdmin):
    form = ReasonForm
    filter_horizontal = ()
    fieldsets = ((None, {"fields": ("name", "permissions")}),)
    autocomplete_fields = ()
