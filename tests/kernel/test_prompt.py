"""What is typed is run to its end, and what it says is kept as far as anybody reads it."""

from __future__ import annotations

from netless_lab.kernel.prompt import MOST_SAID, run_to_end


def test_the_last_of_what_a_command_says_is_kept() -> None:
    """However much it says: the end of it, cut at whole bytes, with its last line."""
    ended = run_to_end(["sh", "-c", "seq 100000; echo zürich; echo; exit 3"], seconds=60.0)
    assert ended.status == 3 and ended.last_line == "zürich"
    assert len(ended.said.encode()) == MOST_SAID and ended.said.endswith("99999\n100000\nzürich\n\n")


def test_a_command_that_says_little_is_kept_whole() -> None:
    """Output and errors in the order in which they came."""
    assert run_to_end(["sh", "-c", "echo one; echo two >&2"], seconds=60.0) == (0, "one\ntwo\n")
