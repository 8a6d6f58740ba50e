"""Shells in a node of a real lab, through the door that the app uses: which shell it is, and where a step's commands may be typed."""

from __future__ import annotations

import pytest

from helpers.running import Running
from netless.app.shells import put_at_prompt, shell_in
from terminal.host import Seat, seat

pytestmark = [pytest.mark.kernel, pytest.mark.rootless]


async def in_node(person: Seat) -> None:
    """Wait for the first prompt of a shell in the lab's host."""
    await person.until(lambda: person.text.rstrip().endswith("#"), "the prompt")


async def test_no_commands_are_typed_into_a_ping(lab: Running) -> None:
    """While ping has the terminal the step's commands are refused and ping gets none of them; when it has ended they stand at the prompt."""
    argv, env = shell_in(lab.name, "host")
    async with seat(argv, env) as person:
        await in_node(person)
        assert person.text.startswith("host:")
        await person.run("ping -n -i 0.1 127.0.0.1")
        await person.sees("icmp_seq=")
        assert not await put_at_prompt(person.terminal, "echo st''ep")
        assert "st''ep" not in person.text
        await person.pilot.press("ctrl+c")
        await person.sees("packets transmitted")
        assert await put_at_prompt(person.terminal, "echo st''ep")
        await person.sees("echo st''ep")
        await person.pilot.press("enter")
        await person.line("step")


async def test_a_node_without_bash_has_sh(lab: Running) -> None:
    """Where the node itself sees no bash the shell is sh, with a prompt that commands are put at, whatever the machine around has."""
    lab.sh('mount --bind /dev/null "$(readlink -f "$(command -v bash)")"')
    argv, env = shell_in(lab.name, "host")
    async with seat(argv, env) as person:
        await in_node(person)
        assert person.text.startswith("host:")
        await person.run("cat /proc/$$/comm")
        await person.line("sh")
        assert await put_at_prompt(person.terminal, "echo st''ep")
        await person.sees("echo st''ep")
        await person.pilot.press("enter")
        await person.line("step")
        await person.run("echo be''gun; cat")
        await person.line("begun")
        assert not await put_at_prompt(person.terminal, "echo never")
