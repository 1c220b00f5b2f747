"""One HTTP request whose answer may go on for ever, and that can be broken off from another thread."""

import base64
import contextlib
import hashlib
import http.client
import re
import secrets
import select
import socket
import ssl
import time
import urllib.parse
from collections.abc import Callable

from guiapp.sources.reconnect import Lost

_READ = 1 << 20  # bytes taken at most at a time: what has piled up is passed over in one go
_REDIRECTS = 5
_SLICE = 0.1  # seconds between two looks at whether to stop


def reach(host: str, port: int, limit: float, stopped: Callable[[], bool]) -> socket.socket:
    """Connect to the first address of a host that answers.

    Args:
        host: Name or address.
        port: TCP port.
        limit: Seconds for each address, and for every later read.
        stopped: Asked ten times a second whether to give up.

    Raises:
        Lost: With the reason.
    """
    try:
        addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Lost(f"there is no {host} on the network") from error
    reason = "no answer"
    for family, kind, protocol, _, address in addresses:
        connection = socket.socket(family, kind, protocol)
        try:
            connection.setblocking(False)
            connection.connect_ex(address)
            until = time.monotonic() + limit
            while time.monotonic() < until and not stopped():
                # A connection that was refused is writable on some systems and exceptional on others.
                _, ready, failed = select.select([], [connection], [connection], _SLICE)
                if ready or failed:
                    code = connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    if code == 0 and ready:
                        connection.settimeout(limit)
                        return connection
                    reason = "the connection is refused" if code in (111, 61, 10061) else f"no connection ({code})"
                    break
        except OSError as error:
            reason = error.strerror or str(error)
        connection.close()
        if stopped():
            break
    raise Lost(reason)


class HttpStream:
    """The answer to a GET request, read piece by piece.

    Redirections are followed, Basic and Digest passwords given (RFC 7617, RFC 7616 with MD5, which is what cameras
    speak); a password is sent to the host of the address alone.

    Attributes:
        content_type: What the answer says it is, in lower case before the first semicolon; else as sent.
    """

    def __init__(self, address: str, limit: float, stopped: Callable[[], bool]) -> None:
        """Prepare a request; ``limit`` is how many seconds nothing may come."""
        self.content_type = ""
        self._address = address
        self._limit = limit
        self._stopped = stopped
        self._socket: socket.socket | None = None
        self._response: http.client.HTTPResponse | None = None
        self._user: tuple[str, str] | None = None
        self._home = ""

    def open(self) -> None:
        """Ask and read the headers of the answer.

        Raises:
            Lost: If there is no connection, or the answer is no success.
            OSError: If the connection breaks.
        """
        parts = urllib.parse.urlsplit(self._address)
        self._home = parts.hostname or ""
        if parts.username is not None:
            self._user = urllib.parse.unquote(parts.username), urllib.parse.unquote(parts.password or "")
        address, authorization, redirects = self._address, "", 0
        while True:
            response = self._ask(address, authorization)
            status, reason = response.status, response.reason
            if status in (301, 302, 303, 307, 308) and redirects < _REDIRECTS and response.headers.get("Location"):
                address = urllib.parse.urljoin(address, response.headers["Location"])
                if not address.startswith(("http://", "https://")):
                    raise Lost("it is moved to an address that is not of HTTP")
                authorization, redirects = "", redirects + 1
            elif status == 401 and self._user and not authorization and self._at_home(address):
                authorization = _answer(response.headers.get_all("WWW-Authenticate") or [], address, *self._user)
                if not authorization:
                    raise Lost("it asks for the password in a way that is not known here")
            elif status == 401:
                raise Lost(
                    "the password is wrong" if self._user else "it asks for a password: http://NAME:PASSWORD@..."
                )
            elif status != 200:
                raise Lost(f"it answers {status} {reason}".rstrip())
            else:
                self._response = response
                self.content_type = response.headers.get("Content-Type") or ""
                return
            self.close()

    def read(self) -> bytes:
        """The bytes that have come, at least one; empty at the end.

        Raises:
            TimeoutError: If nothing came within the limit.
            OSError: If the connection breaks.
            Lost: If the server breaks the protocol.
        """
        assert self._response is not None, "open() comes first"
        try:
            return self._response.read1(_READ)
        except http.client.HTTPException as error:
            raise Lost("it breaks off in the middle") from error
        except ValueError as error:  # broken off from another thread, or a chunk without a length
            raise Lost("it breaks off in the middle") from error

    def interrupt(self) -> None:
        """Break off whatever ``open`` or ``read`` waits for; may be called from another thread."""
        connection = self._socket
        if connection is not None:
            with contextlib.suppress(OSError):
                # The plain shutdown: that of TLS would wait for the other side.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of the connection."""
        for held in (self._response, self._socket):
            if held is not None:
                with contextlib.suppress(OSError):
                    held.close()
        self._response = self._socket = None

    def _at_home(self, address: str) -> bool:
        return (urllib.parse.urlsplit(address).hostname or "") == self._home

    def _ask(self, address: str, authorization: str) -> http.client.HTTPResponse:
        parts = urllib.parse.urlsplit(address)
        secure = parts.scheme == "https"
        host = parts.hostname or ""
        port = parts.port or (443 if secure else 80)
        self._socket = reach(host, port, self._limit, self._stopped)
        if self._stopped():  # interrupt() may have come before there was a socket
            raise Lost("it was closed")
        if secure:
            try:
                self._socket = ssl.create_default_context().wrap_socket(self._socket, server_hostname=host)
            except ssl.SSLCertVerificationError as error:
                raise Lost(f"its certificate is not trusted: {error.verify_message}") from error
            except ssl.SSLError as error:
                raise Lost("it does not speak HTTPS") from error
        connection = http.client.HTTPConnection(host, port)
        connection.sock = self._socket
        headers = {"User-Agent": "guiapp", "Accept": "*/*", "Connection": "close"}
        if authorization:
            headers["Authorization"] = authorization
        elif self._user and self._at_home(address):
            headers["Authorization"] = _basic(*self._user)
        try:
            connection.request("GET", _target(address), headers=headers)
            return connection.getresponse()
        except http.client.RemoteDisconnected as error:
            raise Lost("it hangs up without an answer") from error
        except http.client.HTTPException as error:
            raise Lost("it does not speak HTTP") from error


def _target(address: str) -> str:
    parts = urllib.parse.urlsplit(address)
    target = urllib.parse.quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    return f"{target}?{urllib.parse.quote(parts.query, safe='/%:@!$&()*+,;=?~-._')}" if parts.query else target


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _answer(challenges: list[str], address: str, user: str, password: str) -> str:
    """The Authorization header for a Digest challenge; empty where there is none that can be met."""
    digest = next((line for line in challenges if line.lower().startswith("digest")), "")
    fields = {
        name.lower(): quoted or plain for name, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|([^\s,]+))', digest)
    }
    if "nonce" not in fields or fields.get("algorithm", "MD5").upper() != "MD5":
        return ""
    realm, nonce, target = fields.get("realm", ""), fields["nonce"], _target(address)
    secret, what = _md5(f"{user}:{realm}:{password}"), _md5(f"GET:{target}")
    parts = [f'username="{user}"', f'realm="{realm}"', f'nonce="{nonce}"', f'uri="{target}"']
    if "auth" in re.split(r"[\s,]+", fields.get("qop", "")):
        own = secrets.token_hex(8)
        parts += [f'response="{_md5(f"{secret}:{nonce}:00000001:{own}:auth:{what}")}"']
        parts += ["qop=auth", "nc=00000001", f'cnonce="{own}"']
    else:
        parts += [f'response="{_md5(f"{secret}:{nonce}:{what}")}"']
    if "opaque" in fields:
        parts.append(f'opaque="{fields["opaque"]}"')
    return "Digest " + ", ".join(parts)


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
