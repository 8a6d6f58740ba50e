"""One verb at a time, whoever asks: the agent gives turns, and looking needs none."""

from __future__ import annotations

import uuid

import pytest

from netless_lab import labs, protocol
from netless_lab.sandbox import find

pytestmark = pytest.mark.kernel


def test_a_verb_waits_until_the_one_before_it_is_done() -> None:
    """Two ``goto`` that come in one read: the second begins to rebuild when the first has its answer; a question behind them waits for neither."""
    lab = f"turns-{uuid.uuid4().hex[:10]}"
    labs.start(lab, keep_progress=False).close()
    asked = (
        protocol.Hello(client="test", lab=lab),
        protocol.Subscribe(id=1),
        protocol.Goto(id=2, target="container/internet"),
        protocol.Goto(id=3, target="container/cable"),
        protocol.GetStatus(id=4),
    )
    happened: list[str] = []
    try:
        with find.connect(lab) as conversation, conversation.makefile("rb") as lines:
            conversation.settimeout(30)
            conversation.sendall(b"".join(map(protocol.encode, asked)))
            while "done 3" not in happened:
                message = protocol.decode_event(lines.readline())
                assert not isinstance(message, protocol.Failed), message
                if isinstance(message, protocol.Done):
                    happened.append(f"done {message.id}")
                elif isinstance(message, protocol.StatusEvent) and message.status.busy and message.status.busy != happened[-1]:
                    happened.append(message.status.busy)
    finally:
        labs.end(lab)
    assert happened.index("done 4") < happened.index("done 2")
    first, answer, second, last = (what for what in happened if what not in ("done 1", "done 4"))
    assert first.startswith("rebuilding to container/internet/") and answer == "done 2"
    assert second.startswith("rebuilding to container/cable/") and last == "done 3"
