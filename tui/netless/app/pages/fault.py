"""Something is broken on purpose: what is noticed, how long already, and at the end what it was."""

from __future__ import annotations

from textual.content import Content

from netless_lab.protocol import FaultStatus

from ..blocks import EMPTY, Block, clickable, joined, plain


def fault_title(fault: FaultStatus) -> Content:
    """The check pane's title."""
    name = "Exam " if fault.exam else "Drill " if fault.drill else "Broken "
    return joined(name, ("✓ healthy", "bold $success") if fault.healthy else ("✗ not healthy", "bold $error"))


def fault_blocks(fault: FaultStatus) -> list[Block]:
    """What stands above the verdict while a fault is on, and after it."""
    if fault.healthy:
        return _over(fault)
    mark = joined(("✗ ", "bold $error"))
    out = [Block(plain("Something is broken.", "bold"), first=mark), Block(plain(fault.tells), first=Content("  "))]
    if fault.title:
        out.append(Block(plain(f"It is: {fault.title}", "$muted"), first=Content("  ")))
    rules = "No hints, no Why: this is an exam." if fault.exam else "Look, repair, and it will be noticed. h and w help."
    out.append(Block(plain(rules, "$muted"), first=Content("  ")))
    give_up = clickable(joined(("k", "bold $accent"), " Give up: it is mended and told"), "act", "drill")
    return [*out, Block(give_up, first=Content("  ")), EMPTY]


def _over(fault: FaultStatus) -> list[Block]:
    out = [Block(plain(f"The network is healthy again, after {duration(fault.seconds)}.", "bold"), first=joined(("✓ ", "bold $success")))]
    help_used = [f"{count} {word}" for count, word in ((fault.hints, "hints"), (fault.whys, "times Why")) if count]
    out.append(Block(plain(f"With {' and '.join(help_used) or 'no help'}.", "$muted"), first=Content("  ")))
    for label, text in (("it was", fault.title), ("taught", fault.teaches)):
        if text:
            out.append(Block(plain(text), first=joined((f"  {label.ljust(9)}", "$muted"))))
    for line in fault.solution.splitlines():
        command = clickable(plain(line, "$code"), "copy_text_of", line)
        out.append(Block(command, first=joined(("  " + "mends it".ljust(9), "$muted"))))
    done = clickable(joined(("k", "bold $accent"), " Done"), "act", "drill")
    return [*out, Block(done, first=Content("  ")), EMPTY]


def duration(seconds: float) -> str:
    """``3 min 12 s``"""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
