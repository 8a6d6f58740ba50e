"""Whose a folder is, before something is kept in it."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def insist_on_ours(folder: Path) -> None:
    """Insist that nobody else decides which folder this is. Raises PermissionError in words, and OSError.

    A home that is kept across sudo is still the user's: links in it lead root wherever they wish. So a link on the way is ours or the machine's
    (root's, or whoever has ``/``), and so is the folder itself when it is there; root goes through no folder of others at all, for
    they could put another in its place at any moment.
    """
    ours = {0, os.geteuid(), os.stat("/").st_uid}
    for place in (*reversed(folder.parents), folder):
        try:
            found = os.lstat(place)
        except FileNotFoundError:
            return
        counts = stat.S_ISLNK(found.st_mode) or place == folder or os.geteuid() == 0
        if counts and found.st_uid not in ours:
            what = f"{place} belongs to another user: set XDG_STATE_HOME to a folder of yours; with sudo, sudo -H does"
            raise PermissionError(errno.EPERM, what, str(folder))
