"""A page that is fetched: all of it, or it is told."""

from __future__ import annotations

import asyncio

import pytest

from helpers.sandboxed import sandboxed_once, sh
from helpers.wires import own_node
from netless_lab.kernel import probe as probing
from netless_lab.model.probe import Fetch

HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n5;x=0\r\nhello\r\n"


@pytest.mark.parametrize(
    ("page", "whole"),
    [
        (HEAD + b"Content-Length: 5\r\n\r\nhello", True),
        (HEAD + b"Content-Length: 50\r\n\r\nhello", False),
        (b"HTTP/1.0 200 OK\ncontent-length:50\n\nhello", False),
        (b"HTTP/1.0 200 OK\n\nhello", True),
        (HEAD, True),
        (CHUNKED + b"0\r\n\r\n", True),
        (CHUNKED + b"00\r\nMore: 1\r\n\r\n", True),
        (CHUNKED, False),
        (CHUNKED + b"A\r\n0\r\n\r\n", False),
        (CHUNKED + b"A", False),
    ],
    ids=["length", "short", "short-by-lines", "until-the-end", "no-body", "chunks", "trailer", "no-last-chunk", "cut-chunk", "cut-size"],
)
@sandboxed_once
async def test_a_page_that_is_cut_off_is_no_answer(page: bytes, whole: bool) -> None:
    """The server closes the connection before all has come that it announced: curl(1) is the witness."""
    sh("ip link set lo up")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(page)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 80)
    witness = await asyncio.to_thread(sh, "curl -s -m 20 http://127.0.0.1/ >/dev/null && echo whole || true")
    outcome = await probing.run(Fetch("host", "http://127.0.0.1/"), {"host": own_node()}, deadline_s=2.0, grace_s=0.05)
    server.close()
    assert (witness == "whole\n") == (outcome.result == "answered") == whole, (witness, outcome.text)
    assert whole or (outcome.reason, outcome.by) == ("bad-answer", "127.0.0.1")
