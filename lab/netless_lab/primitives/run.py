"""Command lines: the escape hatch of lessons, any line run inside a node; and lines that bring a change about where no action says all of it."""

from __future__ import annotations

from typing import Literal

import msgspec

from .base import Action, Dialect, Where, as_python, in_host
from .bridge import AddPort, RemovePort
from .namespace import AddNetns, NameAttach, NameSymlink, StartContainer, StopContainer, Unname
from .roles import NodeName
from .updown import LinkDown, LinkUp


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
        return as_python(line) if dialect == "pyroute2" else (line,)


class Typed(msgspec.Struct, frozen=True):
    """One line to type for ``node``: for ip(8) without its name, for another ``tool``, for a ``shell``, for one that sees its ``files``, or for a
    tool under its host ``name``.

    ``into`` is another node that the line ends with: only where it is typed is it known how that is called there. ``rest`` follows it.
    """

    node: str
    text: str
    how: Literal["ip", "tool", "shell", "files", "name"] = "ip"
    into: str = ""
    rest: str = ""

    def commands(self, dialect: Literal["ip"], where: Where) -> tuple[str, ...]:
        """The line as it is typed where ``where`` says."""
        text = f"{self.text} netns {where.target(self.into)}{self.rest}" if self.into else self.text
        match self.how:
            case "ip":
                return (where.ip(self.node, text),)
            case "tool":
                return (where.run(self.node, text),)
            case "shell":
                return (where.shell(self.node, text),)
            case "files":
                return (where.files(self.node, text),)
            case "name":
                return (text if self.node == where.node else f"nsenter -t {where.pid(self.node)} -u {text}",)


Doing = Typed | StartContainer | StopContainer | AddNetns | NameSymlink | NameAttach | Unname | LinkUp | LinkDown | AddPort | RemovePort
"""An action or a line."""
