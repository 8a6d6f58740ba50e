"""The old iptables (iptables-legacy) inside a namespace: rules that nf_tables does not show and that only its own tools can delete."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from typing import Final

from .namespace import Namespace, call_in

_CHAINS: Final = {
    "filter": ("INPUT", "FORWARD", "OUTPUT"),
    "nat": ("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
    "mangle": ("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING"),
    "raw": ("PREROUTING", "OUTPUT"),
    "security": ("INPUT", "FORWARD", "OUTPUT"),
}
"""The built-in chains of each table (iptables(8))."""
_LONGEST_S: Final = 5.0


def flush(namespace: Namespace, tables: Sequence[str]) -> list[str]:
    """Empty these tables, written as a snapshot's ``xtables`` has them (``nat``, ``ip6 nat``): no rule, every policy accept.

    An emptied table stays listed until its namespace ends. Answers in words what could not be done.
    """
    problems: list[str] = []
    for command, chosen in (
        ("iptables-legacy-restore", [table for table in tables if " " not in table]),
        ("ip6tables-legacy-restore", [table.removeprefix("ip6 ") for table in tables if table.startswith("ip6 ")]),
    ):
        if chosen:
            problems += _restore(namespace, command, chosen)
    return problems


def _restore(namespace: Namespace, command: str, tables: list[str]) -> list[str]:
    program = shutil.which(command)
    if program is None:
        return [f"rules of the old iptables are left in the tables {', '.join(tables)}: there is no {command} to delete them with"]
    text = "".join(_empty(table) for table in tables if table in _CHAINS)
    try:
        done = call_in(namespace, _run, program, text)
    except (OSError, subprocess.TimeoutExpired) as error:
        return [f"{command} could not run: {error}"]
    return [] if done.returncode == 0 else [f"{command} failed: {done.stderr.strip()}"]


def _run(program: str, text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program], input=text, capture_output=True, text=True, timeout=_LONGEST_S, check=False)


def _empty(table: str) -> str:
    chains = "".join(f":{chain} ACCEPT [0:0]\n" for chain in _CHAINS[table])
    return f"*{table}\n{chains}COMMIT\n"
