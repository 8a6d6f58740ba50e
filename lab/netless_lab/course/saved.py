"""Progress on disk: one file a lab. Whatever is wrong with it, nothing is lost: it is set aside, never overwritten."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from ..documents import Unfit, read_file
from ..errors import Refusal
from ..ours import insist_on_ours
from .progress import MOST, BadProgress, Progress, decode, encode


class Loaded(msgspec.Struct, frozen=True):
    """Progress from disk; ``notice`` says in words when there was something wrong with the file, "" when not."""

    progress: Progress
    notice: str = ""


def progress_path(lab: str, environment: Mapping[str, str]) -> Path:
    """``$XDG_STATE_HOME/netless/LAB.json``, by default under ~/.local/state (XDG Base Directory Specification)."""
    if not lab or "/" in lab or lab.startswith("."):
        raise Refusal(f'"{lab}" cannot name a lab: it becomes a file name, so no slash and no dot in front.')
    state = environment.get("XDG_STATE_HOME", "")
    if state.startswith("/"):
        return Path(state) / "netless" / f"{lab}.json"
    try:
        home = Path(environment.get("HOME") or "~").expanduser()
    except RuntimeError as error:
        text = "There is no folder to keep progress in: HOME is not set, and this user has none. Set HOME, or XDG_STATE_HOME to a folder of yours."
        raise Refusal(text, code=3) from error
    return home / ".local" / "state" / "netless" / f"{lab}.json"


def load(path: Path) -> Loaded:
    """Progress from ``path``; empty when there is none. What cannot be read as one is set aside, never overwritten."""
    try:
        insist_on_ours(path.parent)
        return Loaded(decode(read_file(path, MOST)))
    except FileNotFoundError:
        return Loaded(Progress())
    except OSError as error:
        return Loaded(Progress(), f"Your progress in {path} cannot be read ({error.strerror}); this time begins without it.")
    except (BadProgress, Unfit) as error:
        return Loaded(Progress(), f"Your progress could not be read: {error}. {set_aside(path)} A new one begins.")


def save(path: Path, progress: Progress) -> None:
    """Write progress so that a crash at any moment leaves either the old or the new file whole.

    Raises OSError, and BadProgress for more than could be read again: the old file stays.
    """
    data = encode(progress)
    if len(data) > MOST:
        raise BadProgress(f"it is larger than {MOST >> 10} KiB when it is written down")
    write_whole(path, data)


def saver(path: str) -> Callable[[bytes], None]:
    """How a lab's keeper keeps progress: what it is given is read first, so that nothing but progress gets into the file.

    What it answers raises BadProgress for what is none, and OSError when it cannot be written.
    """
    return lambda data: save(Path(path), decode(data))


def write_whole(path: Path, data: bytes) -> None:
    """Write a file in one piece: a temporary file in the same folder, fsync, rename (rename(2) is atomic)."""
    import tempfile

    insist_on_ours(path.parent)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    with contextlib.suppress(OSError):
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def set_aside(path: Path) -> str:
    """Keep a file that cannot be read under another name; says where."""
    aside = path.with_name(path.name + ".broken")
    number = 1
    while aside.exists():
        number += 1
        aside = path.with_name(f"{path.name}.broken{number}")
    try:
        path.rename(aside)
    except OSError as error:
        return f"It could not be set aside ({error.strerror}) and will be replaced."
    return f"It is kept as {aside}."
