"""What has to be written into an Asterisk's files for its server here, without the password."""

from typing import NamedTuple
from urllib.parse import urlsplit

from broadcasts.models import AsteriskServer

PASSWORD = "PUT-THE-PASSWORD-HERE"


class Snippet(NamedTuple):
    """A piece of a file; `note` says what else to know."""

    file: str
    text: str
    note: str = ""


def snippets(server: AsteriskServer, host: str, secure: bool) -> list[Snippet]:
    """Return the pieces for one server.

    Args:
        host: name, and port if need be, under which this service was reached.
        secure: whether that was over https.
    """
    if server.kind == AsteriskServer.Kind.OUTBOUND:
        files = [_websocket_client(server, host, secure), _ari_outbound(server)]
    else:
        files = [_http(server), _ari(server)]
    return [*files, _dialplan(server)]


def _http(server: AsteriskServer) -> Snippet:
    address = urlsplit(server.url)
    near = address.hostname in ("127.0.0.1", "localhost", "::1")
    tls = address.scheme == "https"
    port = address.port or (443 if tls else 80)
    where = "127.0.0.1" if near else "0.0.0.0"
    bind = (
        f"tlsenable=yes\ntlsbindaddr={where}:{port}"
        if tls
        else f"bindaddr={where}\nbindport={port}"
    )
    prefix = f"prefix={address.path.strip('/')}\n" if address.path.strip("/") else ""
    text = f"[general]\nenabled=yes\n{bind}\n{prefix}sessionlimit=1000\n"
    return Snippet("http.conf", text, "Every candidate that is connected takes a session.")


def _ari(server: AsteriskServer) -> Snippet:
    text = (
        f"[general]\nenabled=yes\n\n[{escaped(server.username)}]\ntype=user\npassword={PASSWORD}\n"
    )
    return Snippet("ari.conf", text, "The user must not be read-only.")


def _websocket_client(server: AsteriskServer, host: str, secure: bool) -> Snippet:
    scheme, tls = ("wss", "tls_enabled=yes\n") if secure else ("ws", "")
    text = (
        f"[{server.name}]\ntype=websocket_client\nconnection_type=persistent\n"
        f"uri={scheme}://{host}/asterisk/{server.name}/\nprotocols=ari\n"
        f"username={escaped(server.username)}\npassword={PASSWORD}\n{tls}"
    )
    return Snippet("websocket_client.conf", text, "Asterisk 20.15, 22.5 or later.")


def _ari_outbound(server: AsteriskServer) -> Snippet:
    candidates = "" if server.url else ",…"
    note = (
        ""
        if server.url
        else "In the place of … every candidate application, as they share this one connection."
    )
    text = (
        "[general]\nenabled=yes\n\n[local]\ntype=user\npassword=not-used-from-outside\n\n"
        f"[{server.name}-out]\ntype=outbound_websocket\nwebsocket_client_id={server.name}\n"
        f"apps={server.application}{candidates}\nlocal_ari_user=local\n"
    )
    return Snippet("ari.conf", text, note)


def _dialplan(server: AsteriskServer) -> Snippet:
    application = server.application
    chosen = f"[globals]\nBROADCAST_APP={application}\n\n" if application != "broadcast" else ""
    text = (
        f'#include "stasis-broadcast.conf"\n\n{chosen}[default]\n'
        "exten => 100,1,Gosub(stasis-broadcast,s,1(2000,^ivr-))\n"
        " same => n,NoOp(${STASISSTATUS})\n"
        " same => n,Hangup()\n"
    )
    note = (
        "stasis-broadcast.conf comes with this service, in dialplan/. In the place of the filter, "
        "@name names a preset; with none, the rules choose one."
    )
    return Snippet("extensions.conf", text, note)


def escaped(value: str) -> str:
    """Return a value as Asterisk's files take it: a bare semicolon would begin a comment."""
    return value.replace(";", "\\;")
