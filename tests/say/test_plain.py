"""What a look tells is told by signs where there are no looks: in a pipe, in a file, read aloud."""

from __future__ import annotations

import msgspec

from netless.say.ansi import CODES, coloured
from netless.say.check import claims
from netless.say.plain import rows, signed
from netless.say.text import Block, Blocks, barred, joined, labelled, lay_out, plain, ticked
from netless.say.why import why
from netless_lab.course.verdict import Item, Verdict
from netless_lab.model.journey import Explanation, Fact


def said(*blocks: Block, indent: int = 0) -> list[str]:
    """The rows as a pipe gets them."""
    return [row.plain for row in rows(blocks, indent)]


def test_code_in_a_sentence_stands_in_backticks() -> None:
    """As it does where it was written."""
    assert said(Block(ticked("type `ip link` there"))) == ["type `ip link` there"]


def test_a_command_follows_a_dollar_sign_unless_a_label_says_what_it_is() -> None:
    """So that it is known from what the system answers."""
    command = plain("ip link", "command")
    assert said(Block(command), labelled("  look     ", command)) == ["$ ip link", "  look: ip link"]


def test_every_line_of_a_paragraph_is_indented() -> None:
    """A bar goes on beside all of its lines, and a label's text stands below itself."""
    assert said(barred(plain("one\ntwo"), "warn"), Block(plain("a\nb"), first=plain("- ")), indent=2) == ["  ▎ one", "  ▎ two", "  - a", "    b"]


def test_signs_are_part_of_the_text_that_is_laid_out() -> None:
    """A narrow terminal cuts nothing off and gets no row too many."""
    blocks: Blocks = (Block(ticked("see `ip link` and `ip addr`")), labelled("  expected ", plain("a reply from the other end")))
    laid = lay_out(signed(blocks), 22)
    assert all(line.content.cells <= 22 for line in laid)
    assert " ".join(" ".join(line.content.plain.split()) for line in laid) == "see `ip link` and `ip addr` expected: a reply from the other end"


def test_a_claim_that_does_not_hold() -> None:
    """What is expected, what is seen, what comes near, and where to look."""
    item = Item("fail", "veth1 is up", expected="up", seen="down", near="veth2 is up", look="ip link show veth1")
    told = said(*claims(Verdict("up", "fail", (item,))), indent=2)
    assert told == ["  ✗ veth1 is up", "    ▎ veth2 is up", "    expected: up", "    seen: down", "    look: ip link show veth1"]


def test_a_cause_with_its_fact_and_its_mend() -> None:
    """Whether it is certain is a word beside a shape; each command of a mend stands behind its label."""
    explanation = Explanation(
        answered=False, seen="It left by no interface.", cause="net.ipv4.ip_forward is 0.", certainty="certain", place="host:fwd",
        facts=(Fact("net.ipv4.ip_forward is 0", "sysctl net.ipv4.ip_forward"),), fix="sysctl -w net.ipv4.ip_forward=1", lesson="internet/forwarding",
    )  # fmt: skip
    told = said(*why(explanation, "internet/forwarding", fix_shown=True))
    assert told[0] == "✗ It left by no interface."
    assert "● net.ipv4.ip_forward is 0." in told and "  certain: a fact proves it" in told and "  place: the forwarding of the host" in told
    assert told[told.index("• net.ipv4.ip_forward is 0") + 1] == "  $ sysctl net.ipv4.ip_forward"
    assert "mend it: sysctl -w net.ipv4.ip_forward=1" in told and told[-1] == "Taught in: internet/forwarding"
    assert msgspec.structs.replace(explanation, fix="a\nb").fix and "mend it: b" in said(*why(msgspec.structs.replace(explanation, fix="a\nb"), "", fix_shown=True))


def test_looks_are_switched_off_behind_themselves() -> None:
    """Every sequence that begins one is ended in the same piece; what has no colour is left as it is."""
    assert coloured("a", ("strong", "good")) == "\x1b[1;36ma\x1b[0m"
    assert coloured("a", ("bad", "strong")) == "\x1b[33;1ma\x1b[0m"
    assert coloured("a", ("code",)) == "a" and coloured("", ("strong",)) == ""
    assert joined(("a", "muted")).plain == "a" and "muted" in CODES
