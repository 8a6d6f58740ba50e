"""What Textual does otherwise: partial repaints that lose nothing, Chinese that is broken where it may be; and how our text is printed to it."""

from __future__ import annotations

import ast
import importlib
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
from textual.app import App
from textual.widget import Widget

from netless.app import toolkit
from netless.app.paint import LOOKS, action_of
from netless.app.toolkit import crop_both_edges, let_painted_go
from netless.say.cells import NOT_FIRST
from netless.say.links import ToHop, UseDialect
from netless.say.text import Look


def test_only_what_is_known_is_mended() -> None:
    """Another Textual keeps its own methods."""
    assert not crop_both_edges("9.0.0")
    assert not let_painted_go("9.0.0")


def in_a_process(code: str) -> str:
    """What a program prints that starts as the app does; the repairs stay out of this process."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, env=environment, check=True, timeout=60)
    return done.stdout.strip()


def test_the_installed_textual_repaints_only_dirty_cells() -> None:
    """With the Textual that is installed a moved cell is sent without the row to its left."""
    told = in_a_process("""
from netless.app.toolkit import crop_both_edges, let_painted_go
print(crop_both_edges())
from rich.console import Console
from rich.segment import Segment
from textual._compositor import ChopsUpdate
from textual.strip import Strip
update = ChopsUpdate([{0: Strip([Segment("abcdefghij")])}], [(0, 4, 5)], [[10]])
print(repr(update.render_segments(Console(color_system=None, force_terminal=True))))
""")
    applied, sent = told.splitlines()
    assert applied == "True"
    assert re.sub(r"\x1b\[[\d;]*[A-Za-z]", "", ast.literal_eval(sent)).strip() == "e"


def test_the_installed_textual_wraps_wide_text() -> None:
    """With the Textual that is installed a Chinese sentence without a blank is broken where a line is full, not cut."""
    told = in_a_process("""
from netless.app.toolkit import wrap_wide_text
wrap_wide_text()
from textual.content import Content
print(*(line.plain for line in Content("虚拟网线的一端，进入的数据包会从另一端出来。").wrap(20)), sep="\\n")
""")
    lines = told.splitlines()
    assert "".join(lines) == "虚拟网线的一端，进入的数据包会从另一端出来。"
    assert len(lines) == 3
    assert all(line[0] not in NOT_FIRST for line in lines)


def test_every_look_has_a_style() -> None:
    """The closed set of words, no more and no less."""
    assert set(LOOKS) == set(get_args(Look))


def test_parameters_of_a_link_travel_as_values() -> None:
    """They are handed to the action as they are; nothing is put together as text that would have to be read again."""
    assert action_of(ToHop(3, 1)) == ("screen.look_at_hop", (3, 1))
    assert action_of(UseDialect("legacy")) == ("screen.use_dialect", ("legacy",))


APP = Path(toolkit.__file__).parent


@pytest.mark.parametrize("path", [path for path in APP.rglob("*.py") if path.stem not in ("toolkit", "toolkit_late")], ids=lambda path: str(path.relative_to(APP)))
def test_only_the_toolkit_touches_what_is_textuals_own(path: Path) -> None:
    """Whatever begins with an underscore is made where it is used: a new Textual can break one file of the app, and that one says what it needs."""
    tree = ast.parse(path.read_text())
    made = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    made |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)}
    made |= {node.target.id for node in ast.walk(tree) if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)}
    made |= {target.id for node in ast.walk(tree) if isinstance(node, ast.Assign) for target in node.targets if isinstance(target, ast.Name)}
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and re.match("_[^_]", node.attr)}
    assert used - {"_replace"} <= made  # a named tuple's
    assert not {name for name in made if re.match("_[^_]", name)} & _textuals_own(path)


def _textuals_own(path: Path) -> set[str]:
    """What the classes of Textual have to themselves that the classes of this file are made of."""
    module = importlib.import_module(".".join(("netless.app", *path.relative_to(APP).with_suffix("").parts)).removesuffix(".__init__"))
    made = [own for own in vars(module).values() if inspect.isclass(own) and own.__module__ == module.__name__]
    bases = {base for own in made for base in own.__mro__ if base.__module__.startswith("textual.")}
    return {name for base in bases for name in (*vars(base), *re.findall(r"self\.(_\w+)\b[^=\n]*=[^=]", inspect.getsource(base)))}


def test_what_the_installed_textual_lacks_is_found_at_import() -> None:
    """Nothing, with the one that is installed; a part that another version calls otherwise is named."""
    assert toolkit.lacking() == ()
    assert toolkit.lacking({App: ("_driver", "_once_there"), Widget: ("_border_title",)}) == ("App._once_there",)


def test_all_that_is_touched_is_looked_for() -> None:
    """Every private name that the toolkit uses of what is not its own stands among those that are looked for."""
    tree = ast.parse((APP / "toolkit.py").read_text(encoding="utf-8"))
    used = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id != "self"}
    private = {name for name in used if name.startswith("_") and not name.startswith("__")}
    modules = {"_compositor", "_context", "_xterm_parser"}
    assert private - modules <= {name for names in toolkit.PRIVATE.values() for name in names}
