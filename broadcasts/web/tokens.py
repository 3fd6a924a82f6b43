"""The page where people make and end the tokens of their programs."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required, permission_required
from django.contrib.auth.models import AbstractUser, Group
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.cache import add_never_cache_headers
from django.views.decorators.http import require_http_methods, require_POST

from broadcasts.access import MAY_SEE_RECORD, note
from broadcasts.models import AccessEvent, ApiToken

# Who administers people sees what programs of theirs there are, and ends them.
MAY_SEE_PEOPLE = "auth.view_user"
MAY_CHANGE_PEOPLE = "auth.change_user"

DAYS = {1: "1 day", 7: "7 days", 30: "30 days", 90: "90 days", 365: "1 year"}
USUAL_DAYS = 90
MOST_EACH = 50
MOST_OF_OTHERS = 500


class TokenForm(forms.Form):
    """What a new token is for, in which role, and for how long."""

    name = forms.CharField(
        label="Program",
        max_length=80,
        help_text="Which program will use it, such as “wallboard”.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    role = forms.ModelChoiceField(label="Role", queryset=Group.objects.none(), empty_label=None)
    days = forms.TypedChoiceField(
        label="Expires in", choices=[*DAYS.items()], coerce=int, initial=USUAL_DAYS
    )

    def __init__(self, owner: AbstractUser, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.owner = owner
        self.fields["role"].queryset = roles_of(owner)
        for name, field in self.fields.items():
            if field.help_text:
                field.widget.attrs["aria-describedby"] = f"id_{name}_hint"

    def clean(self) -> dict[str, Any]:
        if ApiToken.objects.filter(user=self.owner).count() >= MOST_EACH:
            raise forms.ValidationError(
                f"You have {MOST_EACH} tokens, and nobody may have more: end one first."
            )
        return super().clean()

    def make(self) -> tuple[ApiToken, str]:
        """Make the token, and return it with the secret that nobody can be told again."""
        asked = self.cleaned_data
        return ApiToken.objects.create(
            user=self.owner,
            expiry=timedelta(days=asked["days"]),
            name=asked["name"],
            role=asked["role"],
        )


class EndForm(forms.Form):
    """Which token is to end: what it begins with."""

    token = forms.CharField()


def roles_of(owner: AbstractUser) -> "QuerySet[Group]":
    """Return the roles that somebody's token may have: their own, and any for a superuser."""
    roles = Group.objects.all() if owner.is_superuser else owner.groups.all()
    return roles.order_by("name")


@login_required
@permission_required(MAY_SEE_RECORD, raise_exception=True)
@require_http_methods(["GET", "HEAD", "POST"])
def tokens(request: HttpRequest) -> HttpResponse:
    """Show the tokens; a POST makes one, whose secret is in this very answer and nowhere else."""
    form = TokenForm(request.user, request.POST or None)
    made = secret = None
    if form.is_valid():
        made, secret = form.make()
        note(request, AccessEvent.Kind.TOKEN, **told_of(made))
        form = TokenForm(request.user)
    response = render(request, "web/tokens.html", context(request, form, made, secret))
    add_never_cache_headers(response)
    return response


def context(
    request: HttpRequest, form: TokenForm, made: ApiToken | None, secret: str | None
) -> dict[str, Any]:
    """Return what the page shows."""
    found = ApiToken.objects.select_related("role", "user").prefetch_related("user__groups")
    sees_people = request.user.has_perm(MAY_SEE_PEOPLE)
    others = found.exclude(user=request.user)[:MOST_OF_OTHERS] if sees_people else ()
    return {
        "form": form,
        "made": made,
        "secret": secret,
        "address": request.build_absolute_uri(reverse("api:broadcasts")),
        "own": [(token, state_of(token)) for token in found.filter(user=request.user)],
        "others": [(token, state_of(token)) for token in others],
        "may_end_others": request.user.has_perm(MAY_CHANGE_PEOPLE),
        "sees_people": sees_people,
    }


def state_of(token: ApiToken) -> str:
    """Return whether a token counts; if not, why."""
    owner = token.user
    if token.is_expired:
        return "expired"
    if not owner.is_active:
        return "owner may not sign in"
    if not owner.is_superuser and token.role not in owner.groups.all():
        return "owner lacks the role"
    return ""


@login_required
@require_POST
def end_token(request: HttpRequest) -> HttpResponse:
    """End a token of one's own, or anybody's for who administers people."""
    form = EndForm(request.POST)
    if not form.is_valid():
        raise Http404
    found = ApiToken.objects.filter(token_key=form.cleaned_data["token"])
    if not request.user.has_perm(MAY_CHANGE_PEOPLE):
        found = found.filter(user=request.user)
    token = get_object_or_404(found)
    told = told_of(token)
    token.delete()
    note(request, AccessEvent.Kind.TOKEN_END, **told)
    return redirect("web:tokens")


def told_of(token: ApiToken) -> dict[str, str]:
    """Return what is recorded of a token: what it begins with is no secret."""
    return {
        "token": token.name,
        "begins": token.token_key,
        "role": token.role.name,
        "owner": token.user.get_username(),
    }
