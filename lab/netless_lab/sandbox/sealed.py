"""A copy of this interpreter in memory, for a lab's agent to run from where the file itself could be written by who is root inside.

A program that runs is reached as /proc/self/exe, on the mount it was begun on, whatever mounts its process has now: an agent under somebody
else's control could change the mode of the file there, or write to it (CVE-2019-5736). An ordinary user's Python is often his own file (a
virtual environment with copies, uv, pyenv, conda), and outside root of his lab is he himself. The copy cannot be written by anybody
(memfd_create(2), "File sealing") and is gone with the lab; it takes as much memory as the file is long.
"""

from __future__ import annotations

import errno
import fcntl
import os
import sys
from pathlib import Path
from typing import Final

from . import ids

_MFD_EXEC: Final = 0x10
"""Since Linux 6.3; where vm.memfd_noexec is 1 nothing is run from memory that was not asked for by it."""
_SEALS: Final = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE


def is_needed() -> bool:
    """Whether who is root of a lab that this process starts may write the interpreter's file or give it another mode."""
    if ids.outside().nobody:
        return False
    return os.stat(sys.executable).st_uid == os.geteuid() or os.access(sys.executable, os.W_OK, effective_ids=True)


def copied() -> int:
    """The copy, as an open file; to be run by its name below /proc/self/fd. Raises OSError where nothing can be run from memory."""
    copy = _memory()
    try:
        with open(sys.executable, "rb", buffering=0) as own:
            if os.pread(own.fileno(), 4, 0) != b"\x7fELF":
                raise OSError(errno.ENOEXEC, f"{sys.executable} is a script")
            while os.sendfile(copy, own.fileno(), None, 1 << 30):
                pass
        fcntl.fcntl(copy, fcntl.F_ADD_SEALS, _SEALS)
        if not os.access(f"/proc/self/fd/{copy}", os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError:
        os.close(copy)
        raise
    return copy


def environment() -> dict[str, str]:
    """Variables for the copy: a Python whose library is a file of its own may look for it beside its program ($ORIGIN, ld.so(8)).

    The copy lies beside nothing.
    """
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        paths = (Path(fields[5].rstrip("\n")) for line in maps if len(fields := line.split(maxsplit=5)) == 6)
        found = next((path for path in paths if path.name.startswith("libpython")), None)
    given = os.environ.get("LD_LIBRARY_PATH", "")
    return {**os.environ, **({"LD_LIBRARY_PATH": f"{found.parent}:{given}".rstrip(":")} if found else {})}


def _memory() -> int:
    flags = os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING
    try:
        return os.memfd_create("netless", flags | _MFD_EXEC)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        return os.memfd_create("netless", flags)
