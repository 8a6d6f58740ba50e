"""Arrows point one way. import-linter reads the source; these start a process and read what was really imported."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.running import running
from netless_lab import inside

CHECKOUT = Path(__file__).resolve().parents[2]
SYSTEM = ("pyroute2", "ctypes", "socket", "subprocess", "_posixsubprocess", "asyncio")
HEAVY = ("textual", "rich", "pyroute2", "asyncio")


def imported_by(code: str, *words: str, whole: bool = False) -> frozenset[str]:
    """The names in sys.modules after running ``code`` in a fresh Python, or when it becomes another program.

    The top ones only, unless the ``whole`` names are wanted.
    """
    report = "import sys as s; s.stdout.flush(); s.stderr.write('\\nLOADED ' + repr(sorted(s.modules)) + '\\n')"  # who has entered imports nothing
    becoming = "sys.addaudithook(lambda event, _: tell() if event == 'os.exec' else None)"
    wrapped = f"import atexit, sys\n@atexit.register\ndef tell():\n    {report}\n{becoming}\nsys.argv[1:] = {list(words)!r}\n{code}"
    env = {**os.environ, "PYTHONPATH": f"{CHECKOUT / 'tui'}:{CHECKOUT / 'lab'}", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-P", "-c", wrapped]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=env, timeout=60, check=False)
    told = [line.removeprefix("LOADED ") for line in done.stderr.splitlines() if line.startswith("LOADED ")]
    assert len(told) == 1, done.stdout + done.stderr
    names = ast.literal_eval(told[0])
    return frozenset(names if whole else (name.partition(".")[0] for name in names))


def modules_of(package: str) -> str:
    """Code that imports every module of a package of the lab."""
    root = CHECKOUT / "lab" / "netless_lab" / package
    names = [".".join(path.with_suffix("").relative_to(CHECKOUT / "lab").parts).removesuffix(".__init__") for path in root.rglob("*.py")]
    return "\n".join(f"import {name}" for name in sorted(names))


def importing(code: str, forbidden: tuple[str, ...]) -> frozenset[str]:
    """Which of the forbidden modules a piece of code brings in, beyond what a bare Python with msgspec has."""
    return imported_by(code) & frozenset(forbidden) - imported_by("import msgspec")


@pytest.mark.parametrize("room", ["model", "primitives", "explain", "course"])
def test_pure_rooms_import_no_system(room: str) -> None:
    """Loading every module of a pure room loads neither netlink, nor sockets, nor processes, nor the screen."""
    assert importing(modules_of(room), (*SYSTEM, "textual", "rich", "netless")) == frozenset()


def test_what_is_said_needs_no_screen() -> None:
    """Every sentence there is can be had without Textual, and without Rich, whose widths are read with the first text that is no ASCII."""
    rooms = sorted(path.stem for path in (CHECKOUT / "tui" / "netless" / "say").glob("[a-z]*.py"))
    assert importing("\n".join(f"import netless.say.{name}" for name in rooms), HEAVY) == frozenset()


def test_what_a_fault_is_imports_no_system() -> None:
    """The pure part of the room of drills loads no more than the pure rooms: the screen and the fuzzers read faults with it."""
    pure = ("broken", "format", "library", "spent")
    assert importing("\n".join(f"import netless_lab.drill.{name}" for name in pure), (*SYSTEM, "textual", "rich", "netless")) == frozenset()


def test_the_version_costs_next_to_nothing() -> None:
    """``netless --version`` imports nothing heavy."""
    assert run_main("--version") & frozenset((*HEAVY, "msgspec", "netless_lab")) == frozenset()


@pytest.mark.parametrize("words", [("courses",), ("--help",), ("status",), ("doctor",)], ids=lambda words: words[0])
def test_verbs_that_draw_nothing_import_no_screen(words: tuple[str, ...]) -> None:
    """The command line never loads textual; only the tutor does."""
    assert "textual" not in run_main(*words)


@pytest.mark.kernel
@pytest.mark.parametrize(("words", "by"), [(("shell", "host"), "netless.shell"), (("exec", "host", "--", "true"), "netless_lab.join")])
def test_going_into_a_node_imports_no_screen(words: tuple[str, ...], by: str) -> None:
    """``netless shell`` and ``exec`` go in at once: until they become what carries the command, neither textual nor the app is loaded."""
    with running() as lab:
        loaded = run_main("--lab", lab.name, *words, whole=True)
    assert by in loaded
    assert not {name for name in loaded if name.partition(".")[0] == "textual" or name.startswith("netless.app")}


@pytest.mark.kernel
def test_exec_needs_no_parser_and_no_reader_of_messages() -> None:
    """They take four times as long to import as it takes to be in the node."""
    with running() as lab:
        loaded = run_main("--lab", lab.name, "exec", "host", "--", "true", whole=True)
    assert "netless_lab.sandbox.visitor" in loaded, "it has another Python enter"
    assert not loaded & {"msgspec", "argparse", "netless.cli", "netless_lab.protocol"}


@pytest.mark.kernel
def test_status_needs_no_parser_and_no_message_but_its_own() -> None:
    """``netless status`` loads neither argparse nor what only other messages are made of: both together take as long as all the rest of it."""
    with running() as lab:
        loaded = run_main("--lab", lab.name, "status", "--json", whole=True)
    assert "netless_lab.protocol.status" in loaded
    assert not loaded & {"argparse", "netless.parser", "netless_lab.protocol.messages", "netless_lab.model.snapshot"}


def test_a_verb_needs_no_event_loop() -> None:
    """``asyncio`` takes longer to import than ``status`` takes; lessons are not read for it either, nor is there what only others need."""
    assert run_main("status", whole=True) & {"asyncio", "tomllib", "netless_lab.course.parse", "typing_extensions", "dataclasses"} == frozenset()


def test_a_lab_is_ready_before_netlink_libraries_are_there() -> None:
    """The agent imports pyroute2 when it has greeted its first client, not while somebody waits for the lab; so with what is for Why and drills."""
    begun = "from netless_lab import lean\nlean.import_asyncio()\nimport netless_lab.inside"
    loaded = imported_by(begun, whole=True)
    assert loaded & {"pyroute2", "tempfile", "hashlib", "ssl", "typing_extensions", "dataclasses", *inside.LATER} == frozenset()
    assert imported_by("\n".join(f"import {name}" for name in inside.LATER), whole=True).issuperset(inside.LATER)


NODES_ARE_TOLD = """
from netless_lab import lean
lean.import_asyncio()
import asyncio
from netless_lab.model.snapshot import Snapshot
from netless_lab.watching.following import Following

async def told():
    Following(print, print, print).nodes({"c1": None}, Snapshot())
    await asyncio.sleep(0)

asyncio.run(told())
"""


def test_a_lab_that_is_ready_takes_its_first_client_before_it_imports_what_listens() -> None:
    """That there are nodes, which a lab tells as it begins, is not yet a reason to import all that sends probes and hears packets."""
    loaded = imported_by(NODES_ARE_TOLD, whole=True)
    assert "netless_lab.watching.following" in loaded
    assert not loaded & {"netless_lab.kernel.evidence.lookout", "netless_lab.kernel.probe"}


LINKS_ARE_SET = "from netless_lab import lean\nlean.import_asyncio()\nlean.import_iproute()\nfrom pyroute2.iproute import IPRoute\nIPRoute().close()"


def test_what_sets_links_needs_no_database_and_no_tls() -> None:
    """Of pyroute2 the part is there that the tutor uses; the rest would take a sixth of the agent's memory as long as the lab lives."""
    loaded = imported_by(LINKS_ARE_SET, whole=True)
    assert "pyroute2.iproute" in loaded
    assert not loaded & {"_ssl", "sqlite3", "pyroute2", "pyroute2.ndb", "pyroute2.plan9", "pyroute2.ethtool"}


def test_who_wants_all_of_a_library_gets_it() -> None:
    """After a part of pyroute2 was imported by itself, all of it can be; and ssl, which was only promised, is there for who looks into it."""
    later = "import pyroute2, ssl\nassert pyroute2.IPRoute is IPRoute and pyroute2.NDB\nassert ssl.create_default_context()"
    assert {"_ssl", "pyroute2.ndb.main"} <= imported_by(f"{LINKS_ARE_SET}\n{later}", whole=True)


def run_main(*words: str, whole: bool = False) -> frozenset[str]:
    """What one command line imports."""
    return imported_by("import runpy\nrunpy.run_module('netless', run_name='__main__', alter_sys=True)", *words, whole=whole)


def test_the_app_never_touches_the_kernel() -> None:
    """The screen's process speaks to the agent: it loads no netlink library."""
    root = CHECKOUT / "tui" / "netless" / "app"
    names = [".".join(path.with_suffix("").relative_to(CHECKOUT / "tui").parts).removesuffix(".__init__") for path in root.rglob("*.py")]
    loaded = imported_by("\n".join(f"import {name}" for name in sorted(names)))
    assert "textual" in loaded
    assert "pyroute2" not in loaded


@pytest.mark.parametrize("room", ["desk", "commands"])
def test_a_desk_and_its_commands_need_no_screen(room: str) -> None:
    """Every module of these rooms can be loaded by what draws nothing."""
    root = CHECKOUT / "tui" / "netless" / room
    names = [".".join(path.with_suffix("").relative_to(CHECKOUT / "tui").parts).removesuffix(".__init__") for path in root.rglob("*.py")]
    assert imported_by("\n".join(f"import {name}" for name in sorted(names))) & {"textual", "rich", "pyroute2"} == frozenset()


def test_the_contracts_of_the_source_hold() -> None:
    """import-linter finds every contract of pyproject.toml kept."""
    env = {**os.environ, "PYTHONPATH": f"{CHECKOUT / 'tui'}:{CHECKOUT / 'lab'}"}
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--config", str(CHECKOUT / "pyproject.toml")]
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stdout


def test_a_planted_breach_is_found(tmp_path: Path) -> None:
    """The guard can fail: a model that imports socket is caught by the same reading of sys.modules."""
    (tmp_path / "planted.py").write_text("import socket\n")
    assert importing(f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import planted", SYSTEM) == {"socket"}
