"""Attempts on the keys that the kernel keeps for the owner's session (keyrings(7))."""

from __future__ import annotations

import ctypes

from hostile.attempt import Refused, attempt
from hostile.bait import Bait
from hostile.calls import call

THREAD, PROCESS, SESSION, USER, USER_SESSION = -1, -2, -3, -4, -5
(GET_ID, JOIN, UPDATE, REVOKE, CHOWN, SETPERM, DESCRIBE, CLEAR, LINK, UNLINK, SEARCH, READ) = range(12)
SET_TIMEOUT, INVALIDATE = 15, 21


@attempt("refused", control="both")
def read_a_key(bait: Bait) -> object:
    """A key of the owner's session is read: a disk's, a network file system's, a login's."""
    return _read(_found(bait, "read"))


@attempt("refused", control="both")
def overwrite_a_key(bait: Bait) -> object:
    """A key of the owner's session gets another content."""
    return call("keyctl", UPDATE, _found(bait, "update"), b"overwritten", 11)


@attempt("refused", control="both")
def revoke_a_key(bait: Bait) -> object:
    """A key of the owner's session is made useless."""
    return call("keyctl", REVOKE, _found(bait, "revoke"))


@attempt("refused", control="both")
def invalidate_a_key(bait: Bait) -> object:
    """A key of the owner's session is thrown away."""
    return call("keyctl", INVALIDATE, _found(bait, "invalidate"))


@attempt("refused", control="both")
def let_a_key_expire(bait: Bait) -> object:
    """A key of the owner's session gets a time to live."""
    return call("keyctl", SET_TIMEOUT, _found(bait, "expire"), 1)


@attempt("refused", control="both")
def open_a_key_to_all(bait: Bait) -> object:
    """A key of the owner's session may be read by everybody."""
    return call("keyctl", SETPERM, _found(bait, "perm"), 0x3F3F3F3F)


@attempt("refused", control="both")
def take_a_key_out(bait: Bait) -> object:
    """A key is taken out of the owner's session keyring."""
    return call("keyctl", UNLINK, _found(bait, "unlink"), SESSION)


@attempt("refused", control="both")
def ask_for_a_key(bait: Bait) -> object:
    """A key of the owner's session is looked for in all keyrings (request_key)."""
    return call("request_key", b"user", bait.key("request"), None, 0)


@attempt("refused", until="names of keys", hole="user", control="both")
def see_the_keys(bait: Bait) -> object:
    """The list of keys shows the owner's."""
    with open("/proc/keys", encoding="utf-8", errors="replace") as file:
        if f"{bait.mark}-{bait.node}-read" not in file.read():
            raise Refused("it is not in the list")
    return bait.mark


@attempt("refused", control="both")
def keep_the_session(bait: Bait) -> object:
    """The owner's session keyring is linked into one of the lab's processes, to be had when the session has changed."""
    _found(bait, "read")
    return call("keyctl", LINK, SESSION, PROCESS)


@attempt("refused", control="both")
def join_a_session_by_name(bait: Bait) -> object:
    """A keyring of the owner's that has a name is joined."""
    call("keyctl", JOIN, f"{bait.mark}-session".encode())
    return call("keyctl", SEARCH, SESSION, b"user", f"{bait.mark}-named".encode(), 0)


@attempt("private")
def add_a_key(bait: Bait) -> object:
    """A key is put where the session's are: the session outside does not get it."""
    return call("add_key", b"user", f"{bait.mark}-{bait.node}-added".encode(), b"x", 1, SESSION)


@attempt("private")
def have_a_session_of_ones_own(bait: Bait) -> object:
    """A keyring of one's own takes the place of the session's."""
    return call("keyctl", JOIN, None)


def _found(bait: Bait, what: str) -> int:
    return call("keyctl", SEARCH, SESSION, b"user", bait.key(what), 0)


def _read(key: int) -> bytes:
    buffer = ctypes.create_string_buffer(64)
    size = call("keyctl", READ, key, buffer, 64)
    return buffer.raw[:size]
