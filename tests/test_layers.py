"""Imports run one way: domain ← models ← ledger ← broker ← doors ← composition.

docs/architecture.md says why. Only what is imported when the program runs counts, so a name that a
type hint alone needs (`if TYPE_CHECKING`) may come from anywhere.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "broadcasts"

# What each room, a package or module of `broadcasts`, may import besides itself.
CORE = {"domain", "models", "ledger", "broker"}
RECORD_KEEPING = {"history", "archive", "reports", "exports", "access"}
SHARED = CORE | RECORD_KEEPING | {"metrics", "environment", "configuration_io", "replay"}
DOORS = {"asterisk", "facade", "web", "admin", "api", "management"}
MAY_IMPORT: dict[str, set[str]] = {
    "apps": {"models", "access"},
    "domain": set(),
    "metrics": {"domain"},
    "models": {"domain"},
    "environment": {"models"},
    "configuration_io": {"domain", "models"},
    "replay": {"domain", "models"},
    "history": {"domain", "models"},
    "access": {"domain", "models", "history"},
    "reports": {"domain", "models", "history"},
    "archive": {"domain", "models", "history", "reports"},
    "exports": {"domain", "models", "history", "access", "archive", "reports"},
    "ledger": {"domain", "models", "metrics"},
    "broker": {"domain", "models", "ledger", "metrics"},
    **dict.fromkeys(DOORS, SHARED),
    "simulator": {"domain"},
    "service": SHARED | DOORS,
    "entrance": SHARED | DOORS | {"service"},
    "migrations": {"domain", "models"},
}

# Doors do not know each other, but for this: the admin tries a connection in the very way in which
# a link makes it, and anything else would be a second way that could answer otherwise.
EXCEPTIONS = {("admin", "broadcasts.asterisk.probe")}

# Each client of the network is known in one place; the simulator stands outside, as an Asterisk.
ONE_PLACE = {
    "requests": "broadcasts/asterisk/rest.py",
    "websocket": "broadcasts/asterisk/ari_socket.py",
    "aiohttp": "broadcasts/facade/upstream.py",
}

# The domain takes data and returns data: whatever waits, acts or keeps is passed in.
IMPURE = {
    "asyncio", "channels", "django", "http", "logging", "multiprocessing", "os", "pathlib",
    "select", "socket", "sqlite3", "ssl", "subprocess", "threading", "time", "uvicorn",
    *ONE_PLACE,
}  # fmt: skip


class Import(NamedTuple):
    """One import statement: where it stands and the full name of the module it names."""

    path: Path
    line: int
    module: str

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT)}:{self.line} imports {self.module}"

    @property
    def importing_room(self) -> str:
        return self.path.relative_to(ROOT / PACKAGE).with_suffix("").parts[0]

    @property
    def imported_room(self) -> str:
        """The room that is imported, or "" for what is not ours."""
        package, _, rest = self.module.partition(".")
        return rest.partition(".")[0] if package == PACKAGE else ""


def imports(path: Path, source: str) -> Iterator[Import]:
    """Yield what a file imports when it runs."""
    for node in running(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(path, node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom):
            for module in named(node, path):
                yield Import(path, node.lineno, module)


def running(node: ast.AST) -> Iterator[ast.AST]:
    """Yield every node but those under `if TYPE_CHECKING`."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            continue
        yield child
        yield from running(child)


def named(node: ast.ImportFrom, path: Path) -> Iterator[str]:
    """Yield the modules that a from-import names; relative ones in full."""
    package = path.relative_to(ROOT).with_suffix("").parts
    base = [*package[: len(package) - node.level]] if node.level else []
    module = ".".join([*base, *filter(None, [node.module])])
    if module == PACKAGE:
        yield from (f"{PACKAGE}.{alias.name}" for alias in node.names)
    else:
        yield module


ALL = [
    found
    for path in sorted((ROOT / PACKAGE).rglob("*.py"))
    for found in imports(path, path.read_text())
]


def crossings(found: list[Import]) -> list[str]:
    """Return what breaks the order of the rooms, one sentence each."""
    return [
        f"{one}: {one.importing_room} may import {sorted(MAY_IMPORT[one.importing_room])} only"
        for one in found
        if one.imported_room
        and one.imported_room != one.importing_room
        and one.imported_room not in MAY_IMPORT[one.importing_room]
        and not any(
            one.importing_room == room and f"{one.module}.".startswith(f"{module}.")
            for room, module in EXCEPTIONS
        )
    ]


def test_every_room_has_a_place_in_the_order() -> None:
    rooms = {one.importing_room for one in ALL}
    assert rooms <= MAY_IMPORT.keys(), "say in MAY_IMPORT what the new room may import"


def test_imports_run_one_way() -> None:
    assert not crossings(ALL), "\n".join(crossings(ALL))


@pytest.mark.parametrize(("client", "place"), ONE_PLACE.items())
def test_a_network_client_is_known_in_one_place(client: str, place: str) -> None:
    outside = (one for one in ALL if one.importing_room != "simulator")
    users = [one for one in outside if one.module.partition(".")[0] == client]
    assert users, f"nothing imports {client}: take it out of ONE_PLACE"
    strays = [str(one) for one in users if one.path != ROOT / place]
    assert not strays, f"only {place} may know {client}:\n" + "\n".join(strays)


def test_the_domain_is_pure() -> None:
    impure = [
        str(one)
        for one in ALL
        if one.importing_room == "domain" and one.module.partition(".")[0] in IMPURE
    ]
    assert not impure, "the domain waits for, acts on and keeps nothing:\n" + "\n".join(impure)


@pytest.mark.parametrize(
    "statement",
    [
        "from broadcasts.web import board",
        "import broadcasts.web.board",
        "from broadcasts import web",
        "from .. import web",
        "from ..web.board import read",
        "def later():\n    from broadcasts.web import board",
    ],
)
def test_a_crossing_is_found_however_it_is_written(statement: str) -> None:
    assert crossings(list(imports(ROOT / PACKAGE / "facade" / "example.py", statement)))


def test_a_type_hint_may_name_anything() -> None:
    source = "if TYPE_CHECKING:\n    from broadcasts.web import board"
    assert not list(imports(ROOT / PACKAGE / "facade" / "example.py", source))
