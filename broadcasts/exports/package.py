"""A package: a ZIP with the files, a manifest that says what they are, and two signatures.

`manifest.sig` signs the manifest, which names each file's SHA-256: it proves the files also where
they have been taken out. The ZIP's comment, its very last bytes, signs all that comes before it, so
that no byte of the package can change unnoticed. It is written from front to end, in one go.
"""

import base64
import hashlib
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, BinaryIO, Self

from broadcasts.archive.signing import sign

MANIFEST = "manifest.json"
SIGNATURE = "manifest.sig"
FORMAT = "stasis-broadcast-export/1"
# A signature of 64 bytes in base64.
SIGNATURE_LENGTH = 88
# Fast: what is exported compresses well in any way.
LEVEL = 1


def seal_of(sha256: str) -> bytes:
    """Return what is signed for a whole package: its SHA-256 without the signature itself."""
    return f"{FORMAT} package sha256:{sha256}".encode()


class Package:
    """Writes a package to anything that can be written to."""

    def __init__(self, out: BinaryIO, made_at: datetime) -> None:
        self._sink = Sink(out)
        self._zip = zipfile.ZipFile(self._sink, "w")  # type: ignore[call-overload]
        self._zip.comment = bytes(SIGNATURE_LENGTH)
        self._date = made_at.timetuple()[:6]
        self.files: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        if failure:
            # What has failed is not to be given the end that would make it look whole.
            self._zip.fp = None

    @contextmanager
    def file(self, name: str, packed: bool = False, **about: Any) -> Iterator["File"]:
        """Open a file in the package; `packed`: it is compressed already."""
        method = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
        with self._zip.open(self._info(name, method), "w", force_zip64=True) as handle:
            file = File(handle)
            yield file
        self.files.append(
            {"name": name, **about, "size": file.size, "sha256": file.hash.hexdigest()}
        )

    def finish(self, manifest: dict[str, Any]) -> None:
        """Write the manifest with the files, sign both, and end."""
        content = json.dumps({"format": FORMAT, **manifest, "files": self.files}, indent=2).encode()
        self._zip.writestr(self._info(MANIFEST, zipfile.ZIP_STORED), content)
        signature = base64.b64encode(sign(content))
        self._zip.writestr(self._info(SIGNATURE, zipfile.ZIP_STORED), signature)
        self._zip.close()
        self._sink.finish()

    @property
    def size(self) -> int:
        return self._sink.size

    @property
    def sha256(self) -> str:
        return self._sink.hash.hexdigest()

    def _info(self, name: str, method: int) -> zipfile.ZipInfo:
        info = zipfile.ZipInfo(name, self._date)
        info.compress_type = method
        info._compresslevel = LEVEL  # type: ignore[attr-defined]
        info.external_attr = 0o600 << 16
        return info


class File:
    """A file inside a package, hashed and measured on its way."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle
        self.hash = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> None:
        self.hash.update(data)
        self.size += len(data)
        self._handle.write(data)


class Sink:
    """Passes on what is written, but for the last bytes, which the signature then takes."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._held = b""
        self.hash = hashlib.sha256()
        self.size = 0

    def write(self, data: Any) -> int:
        held = self._held + bytes(data)
        self._pass_on(held[:-SIGNATURE_LENGTH])
        self._held = held[-SIGNATURE_LENGTH:]
        return len(data)

    def flush(self) -> None:
        """Do nothing: whoever made the file flushes it."""

    def finish(self) -> None:
        self._pass_on(base64.b64encode(sign(seal_of(self.hash.hexdigest()))))

    def _pass_on(self, data: bytes) -> None:
        self.hash.update(data)
        self.size += len(data)
        self._out.write(data)
