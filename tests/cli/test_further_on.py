"""``netless check`` of somebody who has done more: the lines, the sentence, the exit code, and the document."""

from __future__ import annotations

import pytest

from helpers.command_line import Cli

pytestmark = pytest.mark.kernel


def test_who_is_ahead_reads_so(netless: Cli) -> None:
    """A bridge that is up, addressed and plugged in at once: the first step passes with a mark of its own and without its page's sentence."""
    netless("goto", "switch/bridge")
    netless(
        "exec", "host", "--", "sh", "-c",
        "ip link add br0 type bridge; ip link set br0 up; ip link set veth2 master br0; ip link set veth2 up; ip addr add 10.0.0.1/24 dev br0",
    )  # fmt: skip
    said = netless("check").stdout
    assert "» 10.0.0.1 answers c1 already: you are ahead" in said and "Done, and you are ahead" in said and "✗" not in said
    assert "without any cables" not in said
    (entry,) = netless.json("check")["verdicts"]
    assert entry["verdict"]["result"] == "pass" and entry["success"].startswith("Done, and you are ahead")
    assert [item["result"] for item in entry["verdict"]["items"]] == ["pass", "ahead", "ahead"]
    assert "'Plug the cable in' is there already, and so is that of 3 more steps" in entry["verdict"]["items"][-1]["claim"]


def test_what_could_not_be_read_says_what_decided(netless: Cli) -> None:
    """A rule about the processor: no tick, no cross, and below it why; the packets decide, the exit code is 0."""
    netless("goto", "internet/door-back")
    netless("exec", "host", "--", "nft", "add rule ip lab forward iifname eth0 meta cpu 0-4095 ct state established accept")
    said = netless("check").stdout.splitlines()
    (number,) = (number for number, line in enumerate(said) if "answers may pass through" in line)
    assert said[number].strip().startswith("- ") and said[number + 1].strip().endswith("; the packets decided")


def test_every_lesson_and_the_course_at_its_end(netless: Cli) -> None:
    """A grader asks lesson by lesson, or for the whole course: whoever is through has passed, exit code 0."""
    netless("goto", "neighbour", "--end")
    for target in ("netless", "cable", "switch", "internet", "neighbour", ""):
        netless("check", f"container/{target}".rstrip("/"))
    assert "» what this step built was rightly taken away by the step 'Away with the decoy': you are ahead" in netless("check", "netless/decoy").stdout
