"""A program that holds a token, and what it is answered."""

from datetime import timedelta
from itertools import count
from typing import Any

from django.contrib.auth.models import AbstractUser, Group
from django.test import Client
from django.utils import timezone

from broadcasts.models import ApiToken
from tests.builders import make_user

_numbers = count(1)

BROADCASTS = "/api/v1/broadcasts/"


def role_of(name: str) -> Group:
    return Group.objects.get(name=name)


def person(role: str = "", **columns: Any) -> AbstractUser:
    """Make somebody who has a role."""
    user = make_user(f"{role or 'nobody'}-{next(_numbers)}", **columns)
    if role:
        user.groups.add(role_of(role))
    return user


class Program:
    """A program with a token for a role of its owner's, who has that role unless told."""

    def __init__(self, role: str, owner: AbstractUser | None = None) -> None:
        self.owner = owner or person(role)
        self.token, self.secret = ApiToken.objects.create(
            user=self.owner, expiry=timedelta(days=1), name="a dashboard", role=role_of(role)
        )
        self.client = Client(headers={"authorization": f"Bearer {self.secret}"})
        # So that no request of a test notes the use of the token, and all take as many queries.
        ApiToken.objects.filter(pk=self.token.pk).update(last_used_at=timezone.now())

    def get(self, address: str = BROADCASTS, **asked: Any) -> Any:
        return self.client.get(address, asked)

    def rows(self, address: str = BROADCASTS, **asked: Any) -> list[dict[str, Any]]:
        """Return the first page of a list."""
        answer = self.get(address, **asked)
        assert answer.status_code == 200, answer.content
        return answer.json()["results"]

    def refused(self, address: str = BROADCASTS, **asked: Any) -> set[str]:
        """Return the parameters that a request is refused for."""
        answer = self.get(address, **asked)
        assert answer.status_code == 400, answer.content
        return set(answer.json()["parameters"])
