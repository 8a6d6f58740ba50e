"""Words of the tutor's own among what programs print: in brackets, faint, in lines of their own. No program knows of them."""

from __future__ import annotations

from textwrap import wrap

from netless.vt.screen import Screen


def said(words: str, screen: Screen) -> str:
    """What puts them on the screen, for its terminal to carry out."""
    lines = "\r\n".join(wrap(f"[{words}]", screen.columns))
    return ("\r\n" if screen.x else "") + f"\x1b[2m{lines}\x1b[0m\r\n"


def unsaid(words: str, screen: Screen) -> str:
    """What takes them back where they are the last that stands on the screen, whatever width they were said at; "" where they are not."""
    sought, found = f"[{words}]".replace(" ", ""), ""
    last = next((y for y in range(screen.height - 1, -1, -1) if screen.rows[y].plain), -1) if words else -1
    for y in range(last, -1, -1):
        found = screen.rows[y].plain.replace(" ", "") + found
        if found == sought:
            return f"\x1b[{y + 1};1H\x1b[J"
        if not sought.endswith(found):
            break
    return ""
