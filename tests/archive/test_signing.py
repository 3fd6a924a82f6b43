"""Signatures: what is signed can be checked with the public key, and nothing else passes."""

import pytest

from broadcasts.archive.signing import fingerprint, is_signed, public_key, sign

CONTENT = b'{"rows":3}'


def test_what_was_signed_is_recognised_by_the_public_key_alone():
    assert is_signed(CONTENT, sign(CONTENT))
    assert is_signed(CONTENT, sign(CONTENT), public_key())


@pytest.mark.parametrize(
    ("content", "signature"),
    [
        (b'{"rows":4}', sign(CONTENT)),
        (CONTENT, bytes([sign(CONTENT)[0] ^ 1]) + sign(CONTENT)[1:]),
        (CONTENT, b""),
        (CONTENT, b"too short"),
    ],
)
def test_what_was_not_signed_like_that_is_not(content, signature):
    assert not is_signed(content, signature)


@pytest.mark.parametrize("key", ["no base64!", "c2hvcnQ=", "é"])
def test_what_is_no_key_has_signed_nothing(key):
    assert not is_signed(CONTENT, sign(CONTENT), key)


def test_another_record_key_makes_another_signature(settings):
    ours, signature, recognised = public_key(), sign(CONTENT), fingerprint()
    settings.RECORD_KEY = "another key of the record"
    assert not is_signed(CONTENT, signature)
    assert is_signed(CONTENT, signature, ours)
    assert fingerprint() != recognised
    assert fingerprint(ours) == recognised
