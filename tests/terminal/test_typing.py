"""Text that reaches the shell other than by keys, and what the shell tells: pastes, typed commands, marks, titles."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from textual import events

from netless.app.shells import put_at_prompt
from netless.app.terminal import PtyTerminal
from netless.app.terminal.widget import Prompt
from netless.vt.keys import encode_command, encode_paste
from terminal.host import SHELL, seat

NO_BRACKETS = ("sh", "-c", "printf '\\033]133;B\\a'; while IFS= read -r line; do echo \"[$line]\"; done")
"""Marks its prompt as a shell does, knows no bracketed paste, and shows each line it reads."""


async def test_paste_waits_for_enter() -> None:
    """Two pasted lines stand at the prompt and run on Enter only."""
    async with seat() as person:
        await person.answers()
        person.terminal.post_message(events.Paste("echo a''a\necho b''b"))
        await person.sees("echo b''b")
        await person.caught_up()
        assert "aa" not in person.text.split("\n")
        await person.pilot.press("enter")
        await person.caught_up()
        assert {"aa", "bb"} <= set(person.text.split("\n"))


async def test_paste_cannot_end_its_own_bracket() -> None:
    """Control characters in a paste do not get through, so it cannot press Enter by itself."""
    async with seat() as person:
        await person.answers()
        person.terminal.post_message(events.Paste("echo x\x1b[201~\x03\necho p''wned\n"))
        await person.sees("p''wned")
        await person.caught_up()
        assert "pwned" not in person.text
        await person.pilot.press("enter")
        await person.caught_up()
        assert "pwned" in person.text


CONTROLS = "".join(map(chr, (*range(0x09), 0x0B, 0x0C, *range(0x0E, 0x20), *range(0x7F, 0xA0))))
"""C0 and C1 controls (ECMA-48), but for tab, line feed and carriage return, which a text may hold."""


@pytest.mark.parametrize("bracketed", [True, False])
def test_no_control_character_is_typed_for_anybody(bracketed: bool) -> None:
    """A page or a clipboard may hold any: neither a command put at the prompt nor a paste types one, so neither can press a key."""
    for encode in (encode_command, encode_paste):
        typed = encode(f"ip{CONTROLS} link", bracketed).removeprefix("\x1b[200~").removesuffix("\x1b[201~")
        assert typed == "ip link", encode
    assert "\r" not in encode_command("ip link\rip addr\n", False)


async def test_type_text_does_not_run() -> None:
    """A command put at the prompt waits for Enter, several lines as well, and replaces what was there."""
    async with seat() as person:
        await person.answers()
        person.type("half a line")
        await person.sees("half a line")
        assert person.terminal.type_text("echo on''e\necho tw''o\n")
        await person.sees("tw''o")
        await person.caught_up()
        assert "half" not in person.text
        assert "one" not in person.text.split("\n")
        await person.pilot.press("enter")
        await person.caught_up()
        assert {"one", "two"} <= set(person.text.split("\n"))


async def test_type_text_without_brackets() -> None:
    """A program that does not know bracketed paste gets one line and no Enter."""
    async with seat(NO_BRACKETS) as person:
        await person.until(lambda: person.terminal.prompt == "ready")
        assert person.terminal.type_text("ip link \\\n  show\n\nip addr\n")
        await person.sees("ip link    show; ip addr")
        await person.pilot.press("enter", "e", "n", "d", "enter")
        await person.sees("[end]")
        assert [line for line in person.text.split("\n") if "]" in line] == ["[ip link    show; ip addr]", "[end]"]


@pytest.fixture
def without_bash(tmp_path: Path) -> dict[str, str]:
    """The environment of a machine that has no bash."""
    for name in ("sh", "cat"):
        (tmp_path / name).symlink_to(str(shutil.which(name)))
    return {"PATH": str(tmp_path)}


@pytest.mark.parametrize("bash", [True, False], ids=["bash", "sh"])
async def test_type_text_needs_a_prompt(bash: bool, without_bash: dict[str, str]) -> None:
    """Nothing is typed into a command that has the terminal; when it has ended there is a prompt again, and what is typed stands there."""
    async with seat(env={} if bash else without_bash) as person:
        assert person.leader == ("bash" if bash else "sh")
        await person.run("echo be''gun; cat")
        await person.line("begun")
        await person.running("cat")
        assert not person.terminal.type_text("ip li''nk")
        person.type("read by cat\r")
        await person.until(lambda: person.text.count("read by cat") == 2)
        assert "ip li''nk" not in person.text
        await person.pilot.press("ctrl+c")
        await person.prompt()
        assert person.terminal.type_text("ip li''nk")
        await person.sees("ip li''nk")


async def test_put_at_prompt_does_not_wait_for_a_command_to_end() -> None:
    """Putting a step's commands where a command runs is refused, and at a shell that is only starting it waits for the prompt."""
    async with seat() as person:
        await person.run("echo be''gun; cat")
        await person.line("begun")
        await person.running("cat")
        assert not await put_at_prompt(person.terminal, "ip link")
        await person.terminal.restart(SHELL)
        assert await put_at_prompt(person.terminal, "echo star''ted")
        await person.sees("echo star''ted")
        await person.pilot.press("enter")
        await person.line("started")


async def test_put_at_prompt_waits_for_what_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks for a prompt when something happened in the terminal, and not again and again meanwhile."""
    async with seat() as person:
        await person.run("echo be''gun; cat")
        await person.line("begun")
        await person.running("cat")
        looks: list[Prompt] = []
        prompt: Callable[[PtyTerminal], Prompt] = vars(PtyTerminal)["prompt"].fget

        def looked(terminal: PtyTerminal) -> Prompt:
            looks.append(prompt(terminal))
            return looks[-1]

        monkeypatch.setattr(PtyTerminal, "prompt", property(looked))
        assert not await put_at_prompt(person.terminal, "ip link")
        assert 0 < len(looks) <= 4 and set(looks) == {"taken"}


async def test_put_at_prompt_starts_an_ended_shell_again() -> None:
    """A shell that was left by ``exit`` is started again, and the commands stand at its prompt."""
    async with seat() as person:
        await person.run("exit")
        await person.until(lambda: person.app.of(PtyTerminal.Exited))
        assert await put_at_prompt(person.terminal, "echo ag''ain")
        await person.sees("echo ag''ain")


async def test_a_shell_inside_a_shell_has_a_prompt() -> None:
    """A bash that the learner starts by hand shows no marks, but it can be typed at."""
    async with seat() as person:
        await person.run("PS1='inner> ' bash --norc -i")
        await person.sees("inner> ")
        await person.until(lambda: person.terminal.type_text("echo in''side"), "a prompt")
        await person.sees("inner> echo in''side")


async def test_type_text_needs_a_program_that_reads_lines() -> None:
    """Nothing is typed into a full-screen program, nor where nothing runs."""
    async with seat() as person:
        await person.run("seq 200 | less")
        await person.until(lambda: person.terminal.terminal.screen.alternate_active)
        assert not person.terminal.type_text("ip link")
        await person.terminal.stop()
        assert not person.terminal.type_text("ip link")


async def test_child_text_is_never_markup() -> None:
    """A title with markup in it arrives as it is and is painted by nobody; on the screen brackets are brackets."""
    async with seat() as person:
        await person.run("clear; printf '\\e]2;[@click=app.quit]x[/]\\a[bold]b[/bold]\\n'")
        await person.line("[bold]b[/bold]")
        await person.until(lambda: person.terminal.titles)
        assert person.terminal.titles[-1] == "[@click=app.quit]x[/]"
        assert "[bold]b[/bold]" in person.painted


async def test_clipboard_cannot_be_read(tmp_path: Path) -> None:
    """A program that asks for the clipboard or for the screen's text gets no answer; the background colour it may know."""
    async with seat() as person:
        answers = tmp_path / "answers"
        person.app.copy_to_clipboard("secret")
        ask = "printf '\\e]52;c;?\\a\\e]11;?\\a\\e[5n'; read -rs -d n answer"  # answers come in order: the status report is the last
        await person.run(f"stty -echo -icanon; {ask}; stty sane; printf %s \"$answer\" >{answers}; echo o''ver")
        await person.line("over")
        assert "\x1b]11;rgb:" in answers.read_text()
        assert answers.read_text().endswith("\x1b[0")
        assert "52;" not in answers.read_text()
        assert "c2Vj" not in answers.read_text() + person.text
