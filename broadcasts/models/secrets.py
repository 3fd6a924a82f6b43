"""A text field that is encrypted at rest, and the keys of what is sealed and signed."""

import base64
import hashlib
from functools import cache
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.db import models


def _fernet() -> Fernet:
    digest = hashlib.sha256(b"broadcasts.secret-field:" + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(digest))


def record_key(purpose: str) -> bytes:
    """Return the 32 bytes that RECORD_KEY yields for one purpose; no purpose tells another's."""
    return _derived(settings.RECORD_KEY, purpose)


@cache
def _derived(secret: str, purpose: str) -> bytes:
    return HKDF(SHA256(), 32, salt=None, info=f"broadcasts.{purpose}".encode()).derive(
        secret.encode()
    )


class SecretField(models.TextField):
    """Keeps its text encrypted under SECRET_KEY.

    A value that another SECRET_KEY encrypted reads as "", like one that was never entered.
    """

    def get_prep_value(self, value: Any) -> Any:
        return _fernet().encrypt(value.encode()).decode() if value else ""

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str:
        if not value:
            return ""
        try:
            return _fernet().decrypt(value.encode()).decode()
        except InvalidToken:
            return ""
