"""Text that reaches the shell other than by keys, and what the shell tells: pastes, typed commands, marks, titles."""

from __future__ import annotations

import asyncio

from textual import events
from textual.content import Content

from netless.app.terminal import PtyTerminal
from terminal.host import seat

NO_BRACKETS = ("sh", "-c", "while IFS= read -r line; do echo \"[$line]\"; done")


async def test_paste_waits_for_enter() -> None:
    """Two pasted lines stand at the prompt and run on Enter only."""
    async with seat() as person:
        person.terminal.post_message(events.Paste("echo a''a\necho b''b"))
        await person.sees("echo b''b")
        await asyncio.sleep(0.2)
        assert "aa" not in person.text.split("\n")
        await person.pilot.press("enter")
        await person.line("aa")
        await person.line("bb")


async def test_paste_cannot_end_its_own_bracket() -> None:
    """Control characters in a paste do not get through, so it cannot press Enter by itself."""
    async with seat() as person:
        person.terminal.post_message(events.Paste("echo x\x1b[201~\x03\necho p''wned"))
        await person.sees("p''wned")
        await asyncio.sleep(0.2)
        assert "pwned" not in person.text


async def test_type_text_does_not_run() -> None:
    """A command put at the prompt waits for Enter, several lines as well, and replaces what was there."""
    async with seat() as person:
        person.type("half a line")
        await person.sees("half a line")
        assert person.terminal.type_text("echo on''e\necho tw''o\n")
        await person.sees("tw''o")
        await asyncio.sleep(0.2)
        assert "half" not in person.text
        assert "one" not in person.text.split("\n")
        await person.pilot.press("enter")
        await person.line("one")
        await person.line("two")


async def test_type_text_without_brackets() -> None:
    """A program that does not know bracketed paste gets one line and no Enter."""
    async with seat(NO_BRACKETS) as person:
        assert person.terminal.type_text("ip link \\\n  show\n\nip addr\n")
        await person.sees("ip link    show; ip addr")
        await asyncio.sleep(0.1)
        assert "[" not in person.text
        await person.pilot.press("enter")
        await person.sees("[ip link    show; ip addr]")


async def test_type_text_needs_a_prompt() -> None:
    """Nothing is typed into a full-screen program, nor where nothing runs."""
    async with seat() as person:
        await person.run("seq 200 | less")
        await person.until(lambda: person.terminal.terminal.screen.alternate_active)
        assert not person.terminal.type_text("ip link")
        await person.terminal.stop()
        assert not person.terminal.type_text("ip link")


async def test_command_lines_are_told() -> None:
    """Each command line is told when it ends, as typed, with its exit code; an empty Enter is none."""
    async with seat() as person:
        await person.run("")
        await person.run("echo 'a;b' \\\\ \"$((1+1))\"")
        await person.run("(exit 7)")
        await person.run("for i in 1 2\rdo echo $i\rdone")
        await person.until(lambda: len(person.app.of(PtyTerminal.CommandLine)) >= 3)
        told = [(message.text, message.exit_code) for message in person.app.of(PtyTerminal.CommandLine)]
        assert told[0] == ("echo 'a;b' \\\\ \"$((1+1))\"", 0)
        assert told[1] == ("(exit 7)", 7)
        assert told[2][0].split() == ["for", "i", "in", "1", "2;", "do", "echo", "$i;", "done"]


async def test_child_text_is_never_markup() -> None:
    """A title with markup in it arrives as it is and is painted by nobody; on the screen brackets are brackets."""
    async with seat() as person:
        await person.run("clear; printf '\\e]2;[@click=app.quit]x[/]\\a[bold]b[/bold]\\n'")
        await person.line("[bold]b[/bold]")
        await person.until(lambda: person.app.of(PtyTerminal.Title))
        assert person.app.of(PtyTerminal.Title)[-1].text == "[@click=app.quit]x[/]"
        assert "[bold]b[/bold]" in person.painted
        assert Content.from_markup(str(person.terminal.border_title)).plain == "[b]c1"


async def test_clipboard_cannot_be_read() -> None:
    """A program that asks for the clipboard or for the screen's text gets no answer; the background colour it may know."""
    async with seat() as person:
        person.app.copy_to_clipboard("secret")
        ask = "printf '\\e]52;c;?\\a\\e]11;?\\a'; read -rs -t 1 -d X answer"
        await person.run(f"stty -echo -icanon; {ask}; stty sane; printf '%q\\n' \"$answer\"")
        await person.sees("rgb:")
        await asyncio.sleep(1.0)
        await person.prompt()
        assert "52;" not in person.text.replace("]52;c;?", "")
        assert "c2Vj" not in person.text
