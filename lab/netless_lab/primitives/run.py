"""The escape hatch: any command line, run inside a node."""

from __future__ import annotations

from .base import Action, Dialect, Where, in_host
from .roles import NodeName


class Run(Action, frozen=True, rename={"line": "run", "node": "in"}):
    """``{ run = "command line", in = "host" }``: for sh(1), in the node's network namespace; it must end by itself."""

    line: str
    node: NodeName = "host"

    def __post_init__(self) -> None:
        if not self.line.strip():
            raise ValueError("run needs a command line")

    def sentence(self) -> str:
        return f"Run{in_host(self.node)}: {self.line}"

    def commands(self, dialect: Dialect, where: Where) -> tuple[str, ...]:
        """The line itself, in every dialect."""
        line = where.shell(self.node, self.line)
        return ("import subprocess", f"subprocess.run({line!r}, shell=True, check=True)") if dialect == "pyroute2" else (line,)

    def inverse(self) -> tuple[Action, ...]:
        """None: nobody knows what it did."""
        return ()
