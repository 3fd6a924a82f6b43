"""A server as links and candidates' doors are given it."""

from typing import Any

from broadcasts.broker import Server


def server(url: str = "", **differing: Any) -> Server:
    """A server as the broker knows it, dial-in unless said otherwise."""
    values: dict[str, Any] = {
        "id": 1,
        "name": "pbx1",
        "application": "broadcast",
        "url": url,
        "username": "ari",
        "password": "ari",
        "outbound": False,
    }
    return Server(**(values | differing))
