"""One hostile hour: a playing machine, a lab in it, every attempt from every node, then the witnesses, then the controls outside."""

from __future__ import annotations

import fcntl
import functools
import json
import os
import select
import subprocess
import termios
import traceback
import tty
from collections.abc import Callable
from dataclasses import dataclass

from helpers import forked
from helpers.running import Running, running
from helpers.waiting import eventually
from hostile import inside
from hostile.attempt import Outcome, every, tried
from hostile.helpers.groups import Groups
from hostile.helpers.machine import recipe
from hostile.helpers.outside import LAB, Outside

PLACES = ("host", "c1")


@dataclass(frozen=True)
class Hour:
    """What came of it."""

    places: dict[str, dict[str, Outcome]]
    """The outcomes by name, for each of ``PLACES``."""
    seen: dict[str, list[str]]
    """What each witness saw of them."""
    controls: dict[str, Outcome]
    """Those of the same attempts outside."""
    seen_of_controls: dict[str, list[str]]


def spend(user: str) -> Hour:
    """Let it pass for a lab of this user's. Raises AssertionError with the traceback of what went wrong."""
    memory = os.memfd_create("hour")
    groups = Groups()
    try:
        said = forked.run(lambda: _as_owner(memory, groups, root=user == "root"), user, recipe(groups))
    finally:
        groups.close()
    assert not said, said
    with open(memory, encoding="utf-8") as file:
        file.seek(0)
        told = json.loads(file.read())
    controls = _outcomes(told["controls"])
    return Hour({place: _outcomes(own) for place, own in told["places"].items()}, told["seen"], controls, told["seen_of_controls"])


def _outcomes(told: dict[str, list[str]]) -> dict[str, Outcome]:
    return {name: Outcome(kind, what) for name, (kind, what) in told.items()}  # type: ignore[arg-type]


def _as_owner(memory: int, groups: Groups, *, root: bool) -> None:
    outside = Outside(groups, root=root)
    places: dict[str, object] = {}
    with running(LAB, keep_progress=False) as lab:
        lab.goto("cable")
        assert eventually(lambda: lab.sh("echo here", "c1", check=False) == "here\n")
        pushed = []
        for place in PLACES:
            text, keys = on_a_terminal(functools.partial(_from_inside, lab, place, outside))
            pushed += [place] * keys
            places[place] = json.loads(text)
        seen = outside.witnesses(*PLACES)
        seen["terminal"] = [f"a key was pushed from {place}" for place in pushed]
        seen["agent"] = [] if lab.sh("echo alive", check=False) == "alive\n" else ["it does not answer"]
        text, keys = on_a_terminal(functools.partial(_from_outside, outside, root=root))
        after = outside.witnesses("outside")
        after["terminal"] = ["a key was pushed"] if keys else []
    told = {"places": places, "seen": seen, "controls": json.loads(text), "seen_of_controls": after}
    os.write(memory, json.dumps(told).encode())


def _from_inside(lab: Running, place: str, outside: Outside) -> str:
    entry = lab.entry(place)
    done = subprocess.run(
        [*entry.argv, *inside.command()], env={**os.environ, **entry.env}, input=inside.packed(outside.bait, place), text=True, stdout=subprocess.PIPE, check=False
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def _from_outside(outside: Outside, *, root: bool) -> str:
    bait = outside.bait.at("outside")
    made = {name: tried(one, bait) for name, one in every().items() if one.has_control(root)}
    return json.dumps({name: (outcome.kind, outcome.what) for name, outcome in made.items()})


def on_a_terminal(work: Callable[[], str]) -> tuple[str, bool]:
    """Do it in a session whose terminal is standard error. What it answers, and whether somebody pushed a key into the terminal."""
    master, slave = os.openpty()
    tty.setraw(slave)
    out, into = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            forked.die_with_parent()
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
            os.dup2(slave, 2)
            text = work()
            keys = bool(select.select([slave], [], [], 0)[0])
            with open(into, "w", encoding="utf-8") as file:
                file.write(f"{'keys' if keys else 'nothing'}\n{text}")
        except BaseException:
            os.write(into, f"failed\n{traceback.format_exc()}".encode())
        finally:
            os._exit(0)
    os.close(into)
    os.close(slave)
    with open(out, encoding="utf-8") as file:
        said, _, text = file.read().partition("\n")
    os.waitpid(pid, 0)
    os.close(master)
    assert said in ("keys", "nothing"), text
    return text, said == "keys"
