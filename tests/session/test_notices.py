"""What a lab wants remembered until it is in order again has a bound, and nothing that was said is left uncounted."""

from __future__ import annotations

import pytest

from helpers.running import running
from helpers.waiting import eventually
from netless_lab.session.state import MOST_NOTICES, Notices


def test_the_same_sentence_is_kept_once_and_counted() -> None:
    """A thing that happens a thousand times is one line, with how often."""
    notices = Notices()
    for _ in range(1000):
        notices = notices.and_also("The process of c1 was killed.")
    assert notices.and_also("A broadcast storm.").lines == ("The process of c1 was killed. (1000 times)", "A broadcast storm.")


def test_a_thousand_sentences_are_so_many_lines_and_a_number() -> None:
    """The newest are kept, in their order, and of all the others it is said how many they were."""
    notices = Notices()
    for number in range(1000):
        notices = notices.and_also(f"notice {number}").and_also(f"notice {number}")
    assert notices.lines[0] == f"Said before and not kept: {2 * (1000 - MOST_NOTICES)}"
    assert notices.lines[1:] == tuple(f"notice {number} (2 times)" for number in range(1000 - MOST_NOTICES, 1000))


@pytest.mark.kernel
def test_a_notice_of_a_lab_is_in_its_status_until_it_is_in_order() -> None:
    """Somebody kills a container: the status says so, and no more after a reset."""
    with running() as lab:
        lab.goto("container/cable", end=True)
        pid = next(node.pid for node in lab.status().nodes if node.name == "c1")
        lab.sh(f"kill -9 {pid}")
        assert eventually(lambda: any("c1 was killed" in line for line in lab.status().notices))
        lab.reset("step")
        assert lab.status().notices == ()
