"""What runs inside the lab: makes every attempt and tells the outcomes as JSON. It comes over a pipe with all it needs (``packed``)."""

from __future__ import annotations

import base64
import io
import json
import sys
import zipfile
from pathlib import Path

from hostile.attempt import GROUPS, Outcome, every, tried
from hostile.bait import Bait

_MODULES = ("bait", "attempt", "calls", "inside", *(f"attempts/{group}" for group in GROUPS))
_BEGIN = """
import base64, sys
sys.stderr = sys.stdout
path = "/tmp/attempts-" + sys.stdin.readline().strip()
open(path, "wb").write(base64.b64decode(sys.stdin.readline()))
sys.path.insert(0, path)
from hostile.inside import main
main()
"""


def command() -> list[str]:
    """The command that is to be run in a node, and that reads what ``packed`` makes."""
    return ["python3", "-I", "-S", "-B", "-c", _BEGIN]


def packed(bait: Bait, node: str) -> str:
    """The attempts themselves and the bait, for the standard input: the lab need not show the tests to those inside."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for folder in ("hostile", "hostile/attempts"):
            archive.writestr(f"{folder}/__init__.py", "")
        for module in _MODULES:
            archive.write(Path(__file__).parent / f"{module}.py", f"hostile/{module}.py")
    return f"{node}\n{base64.b64encode(memory.getvalue()).decode()}\n{bait.at(node).as_json()}\n"


def unpacked(text: str) -> dict[str, Outcome]:
    """What ``main`` printed."""
    return {name: Outcome(*outcome) for name, outcome in json.loads(text).items()}


def main() -> None:
    """Make all attempts, one after another."""
    bait = Bait.from_json(sys.stdin.readline())
    outcomes = {}
    for name, one in every().items():
        outcome = tried(one, bait)
        outcomes[name] = (outcome.kind, outcome.what)
    print(json.dumps(outcomes))
