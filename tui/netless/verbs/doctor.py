"""The verb that tries what this machine can, and explains what it cannot."""

from __future__ import annotations

from ..options import Namespace
from ..printer import Exit, Printer, Styled

_MARKS = {"ok": Styled("good", "✓"), "missing": Styled("dim", "○"), "failed": Styled("bad", "✗")}


def doctor(args: Namespace, printer: Printer) -> int:
    """Try every mechanism for real, in a throwaway child, and say what to do about what fails."""
    from netless_lab.sandbox.doctor import examine

    report = examine()
    printer.document(report)
    for check in report.checks:
        printer.say(_MARKS[check.status], f" {check.name:<34} {check.detail}")
        if check.status != "ok":
            for label, text in (("why", check.why), ("do", check.do), ("needed for", check.needed_for)):
                if text:
                    printer.say(f"    {label}: {text}")
    printer.say(report.summary)
    return Exit.PASS if report.usable else Exit.MACHINE
