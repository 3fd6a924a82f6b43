"""Signatures by the record's key: Ed25519, which the public key alone is enough to check.

Keys and signatures that leave the database are written as base64.
"""

import base64
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from broadcasts.models.secrets import record_key


def sign(content: bytes) -> bytes:
    """Return this installation's signature of something: 64 bytes."""
    return _private().sign(content)


def public_key() -> str:
    """Return what this installation's signatures are checked with, in base64."""
    return base64.b64encode(_private().public_key().public_bytes_raw()).decode()


def fingerprint(key: str = "") -> str:
    """Return what a public key, ours unless given, is recognised by: its SHA-256 in hexadecimal.

    Raises ValueError when it is no base64.
    """
    return hashlib.sha256(base64.b64decode(key or public_key(), validate=True)).hexdigest()


def is_signed(content: bytes, signature: bytes, key: str = "") -> bool:
    """Whether the owner of a public key, ours unless given, has signed exactly this content.

    What is no key and what is no signature has signed nothing.
    """
    try:
        raw = base64.b64decode(key or public_key(), validate=True)
        Ed25519PublicKey.from_public_bytes(raw).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True


def _private() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(record_key("signature"))
