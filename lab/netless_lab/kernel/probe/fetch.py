"""One web page over HTTP (RFC 9112), and whom its server saw: the pretend site says so, which makes address translation visible."""

from __future__ import annotations

import re
import socket
from typing import Final
from urllib.parse import SplitResult, urlsplit

from msgspec.structs import replace

from ...model.addresses import is_address
from ...model.probe import Fetch, Outcome
from ..read import NodeRef
from .failure import Failure, from_errno
from .lookup import resolve
from .patience import Patience
from .stream import dial
from .target import Target, locate

_SEEN: Final = re.compile(rb"I see you as \[?([0-9A-Fa-f.:]*[0-9A-Fa-f])")
_STATUS: Final = re.compile(rb"HTTP/1\.[01] (\d{3})[ \r\n]")
_LARGEST: Final = 1 << 20
_END_OF_HEAD: Final = re.compile(rb"\r?\n\r?\n")
_LENGTH: Final = re.compile(rb"\ncontent-length:[ \t]*(\d{1,18})[ \t]*\r?\n", re.IGNORECASE)
_CHUNKED: Final = re.compile(rb"\ntransfer-encoding:[^\n]*\bchunked[ \t]*\r?\n", re.IGNORECASE)
_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,8})[^\n]*\n")


async def fetch(probe: Fetch, ref: NodeRef, patience: Patience) -> Outcome:
    """GET a page: name lookup when the URL holds a name, connection, request, answer."""
    try:
        url = urlsplit(probe.url if "://" in probe.url else f"http://{probe.url}")
        port = url.port or 80
    except ValueError as error:
        return Failure("could-not-run", f"{probe.url!r} is not a URL: {error}").outcome(probe, patience.waited_ms)
    if url.scheme != "http" or not url.hostname:
        return Failure("could-not-run", f"{probe.url!r} cannot be fetched: it must begin with http://").outcome(probe, patience.waited_ms)
    target = await _locate(ref, probe.node, url.hostname, patience)
    if isinstance(target, Failure):
        return target.outcome(probe, patience.waited_ms)
    address = target.written
    reached = await dial(ref.namespace, probe.node, target, port, patience)
    if isinstance(reached, Failure):
        return replace(reached.outcome(probe, patience.waited_ms), answer=address)
    with reached:
        page = await _get(reached, url, probe.node, address, patience)
        ident: int = reached.getsockname()[1]
    outcome = page.outcome(probe, patience.waited_ms) if isinstance(page, Failure) else _answered(probe, page, address, patience)
    return replace(outcome, answer=address, ident=ident)


async def _locate(ref: NodeRef, node: str, host: str, patience: Patience) -> Target | Failure:
    """A URL writes the link of a link-local address behind ``%25`` (RFC 6874)."""
    host = host.replace("%25", "%")
    if not is_address(host):
        found = await resolve(ref, node, host, patience)
        if isinstance(found, Failure):
            return found
        host = found.address
    return locate(ref.namespace, node, host)


def host_header(netloc: str) -> str:
    """Whom a request asks for: the URL's host and port, without the link of ``[fe80::1%eth0]``, which means nothing to the far end
    (RFC 6874, 4).
    """
    address, bracket, port = netloc.partition("]")
    return address.partition("%")[0] + bracket + port if bracket else netloc


async def _get(opened: socket.socket, url: SplitResult, node: str, address: str, patience: Patience) -> bytes | Failure:
    """The whole answer to one request."""
    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
    lines = (f"GET {path} HTTP/1.1", f"Host: {host_header(url.netloc)}", "User-Agent: netless", "Connection: close", "", "")
    received = b""
    try:
        opened.send("\r\n".join(lines).encode("ascii", "replace"))
        while len(received) < _LARGEST and not _complete(received):
            if not await patience.attempt(program=True).readable(opened):
                if not patience.over:
                    continue
                what = f"only {len(received)} bytes of an answer" if received else "nothing"
                return Failure("silence", f"{address} took the request, then {what} came back within {patience.waited_ms:.0f} ms")
            chunk = opened.recv(65536)
            if not chunk:
                break
            received += chunk
    except OSError as error:
        return from_errno(error.errno or 0, node, address)
    if not received:
        return Failure("reset", f"{address} closed the connection without an answer", address)
    return received


def _complete(received: bytes) -> bool:
    """Whether as much came as the answer announced."""
    end = _END_OF_HEAD.search(received)
    length = None if end is None else _LENGTH.search(received, 0, end.end())
    return bool(end and length and len(received) - end.end() >= int(length[1]))


def _cut_off(page: bytes) -> str:
    """What is lacking of a page behind which nothing more comes, in words; "" when nothing is: most announce how much they are, or that their end
    will be told (RFC 9112, 6.3).
    """
    if (end := _END_OF_HEAD.search(page)) is None or len(page) >= _LARGEST:
        return ""
    if _CHUNKED.search(page, 0, end.end()):
        return "" if _ended(page, end.end()) else "before its last piece"
    length = _LENGTH.search(page, 0, end.end())
    came = len(page) - end.end()
    return f"after {came} of {int(length[1])} bytes" if length and came < int(length[1]) else ""


def _ended(page: bytes, at: int) -> bool:
    """Whether the chunks that begin here are followed by the last one, of no bytes (RFC 9112, 7.1)."""
    while (chunk := _CHUNK.match(page, at)) is not None:
        if not (size := int(chunk[1], 16)):
            return True
        at = chunk.end() + size + len(b"\r\n")
    return False


def _answered(probe: Fetch, page: bytes, address: str, patience: Patience) -> Outcome:
    status = _STATUS.match(page)
    if status is None:
        return Failure("bad-answer", f"{address} answered with something that is not HTTP", address).outcome(probe, patience.waited_ms)
    if lacking := _cut_off(page):
        return Failure("bad-answer", f"{address} broke the page off {lacking}", address).outcome(probe, patience.waited_ms)
    seen = _SEEN.search(page)
    seen_as = seen[1].decode() if seen else None
    text = f"{address} sent the page (HTTP {status[1].decode()})" + (f" and saw {seen_as}" if seen_as else "")
    return Outcome(
        probe, "answered", "answered", text, address, seen_as=seen_as, answer=address, waited_ms=patience.waited_ms
    )  # fmt: skip
