"""The pretend internet's web site: one page that says whom it sees, so that address translation can be witnessed, and a large one.

HTTP/1.1, one request a connection (RFC 9112, "Connection: close"), GET and HEAD only. What a client may send is bounded in size and time.
"""

from __future__ import annotations

import asyncio
from typing import Final

from ..model.outside import USUAL, Outside

BIG_SIZE: Final = 200_000
"""Bytes of /big: some hundred and forty full segments, enough for a lesson on packet sizes."""
_LINE_LIMIT: Final = 8192
_HEADER_LINES: Final = 100
_REQUEST_S: Final = 5.0
_REPLY_S: Final = 30.0
_CLIENTS: Final = 64
_REASONS: Final = {200: "OK", 400: "Bad Request", 405: "Method Not Allowed", 408: "Request Timeout", 503: "Service Unavailable"}


def page(path: str, peer: str, outside: Outside = USUAL) -> str:
    """The text at ``path`` for a client that came from the address ``peer``, which every page but /big says at its end."""
    path = path.split("?")[0]
    pages = dict(outside.pages)
    if path == "/big" and path not in pages:
        return _big()
    greeting = (
        f"Hello from {outside.domain}.\n"
        "\n"
        "You have reached the (pretend) internet: your packet found its way out, and this answer its way back.\n"
    )
    text = pages.get(path, pages.get("/", greeting))
    return f"{text.rstrip()}\nI see you as {peer}\n"


def response(status: int, text: str, *, head_only: bool = False) -> bytes:
    """A whole HTTP response."""
    body = text.encode()
    head = (
        f"HTTP/1.1 {status} {_REASONS[status]}\r\n"
        "Server: netless\r\n"
        "Content-Type: text/plain; charset=utf-8\r\n"
        f"Content-Length: {len(body)}\r\n" + ("Allow: GET, HEAD\r\n" if status == 405 else "") + "Connection: close\r\n\r\n"
    ).encode()
    return head if head_only else head + body


def respond(request_line: bytes, peer: str, outside: Outside = USUAL) -> bytes:
    """The response to a request line; the rest of a request does not matter here."""
    words = request_line.decode("latin-1").split()
    if len(words) not in (2, 3) or (len(words) == 3 and not words[2].startswith("HTTP/")):
        return response(400, "This is a web server; it did not understand that.\n")
    method, target = words[0], words[1]
    if method not in ("GET", "HEAD"):
        return response(405, "Only GET and HEAD work here.\n")
    path = "/" + target.partition("://")[2].partition("/")[2] if "://" in target else target
    return response(200, page(path, peer, outside), head_only=method == "HEAD")


class Site:
    """The server's side of all connections."""

    limit = _LINE_LIMIT
    """For ``asyncio.start_server``: the longest line it will hold."""

    def __init__(self, outside: Outside = USUAL) -> None:
        self._outside = outside
        self._clients = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from its request to its end."""
        self._clients += 1
        try:
            if self._clients > _CLIENTS:
                reply = response(503, "Too many visitors at once.\n")
            else:
                reply = await _read_and_respond(reader, str(writer.get_extra_info("peername", ("?",))[0]), self._outside)
            if reply:
                writer.write(reply)
                async with asyncio.timeout(_REPLY_S):
                    await writer.drain()
                    if writer.can_write_eof():
                        writer.write_eof()
        except (TimeoutError, OSError):
            writer.transport.abort()
        finally:
            self._clients -= 1
            writer.close()


async def _read_and_respond(reader: asyncio.StreamReader, peer: str, outside: Outside) -> bytes:
    """b"" for a client that left without asking."""
    try:
        async with asyncio.timeout(_REQUEST_S):
            first = await reader.readline()
            if not first.strip():
                return b""
            for _ in range(_HEADER_LINES):
                if not (await reader.readline()).strip():
                    return respond(first, peer, outside)
    except TimeoutError:
        return response(408, "That took too long.\n")
    except ValueError:  # a line beyond the limit
        pass
    return response(400, "That is too much for one request.\n")


def _big() -> str:
    line = "{:06d} All these lines arrive in order, whatever became of the packets.\n"
    size = len(line.format(0))
    text = "".join(line.format(number) for number in range(BIG_SIZE // size + 1))
    return text[: BIG_SIZE - 1] + "\n"
