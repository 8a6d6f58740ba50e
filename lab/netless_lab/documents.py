"""JSON from whoever wrote it, and files whose writer is not known: what cannot be read is one declared error, never a surprise.

msgspec checks text only where it keeps it (UnicodeDecodeError) and counts on Python's own limit for what is nested (RecursionError); here
both are the DecodeError that every reader of JSON expects.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

import msgspec

if TYPE_CHECKING:
    from pathlib import Path

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
_CHUNK: Final = 1 << 16
_encoder = msgspec.json.Encoder()


class Unfit(ValueError):
    """A file that is not read: it is no regular file, or larger than what it stands for can be. The text says which."""


class Reader(Protocol[T_co]):
    """What reads a document: a ``msgspec.json.Decoder``."""

    def decode(self, data: bytes, /) -> T_co:
        """The document as a value."""


def read_json(data: bytes, reader: Reader[T]) -> T:
    """The JSON document as a value. Raises msgspec.MsgspecError, in words, for everything that is wrong with it."""
    try:
        return reader.decode(data)
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError(f"it is not UTF-8 text ({error.reason} at byte {error.start} of a text)") from error
    except RecursionError as error:
        raise msgspec.DecodeError("it is nested too deeply") from error


def write_json(value: object) -> bytes:
    """The value as a JSON document. What no UTF-8 can say (half of a surrogate pair, from a name that is no text) becomes U+FFFD."""
    try:
        return _encoder.encode(value)
    except UnicodeEncodeError:
        return _encoder.encode(_legible(msgspec.to_builtins(value, str_keys=True)))


def _legible(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_legible(key): _legible(own) for key, own in value.items()}
    return [_legible(own) for own in value] if isinstance(value, list | tuple) else value


def read_file(path: Path, most: int) -> bytes:
    """A regular file of at most so many bytes. Waits for nobody: a FIFO is refused, not opened to the end. Raises Unfit and OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise Unfit("it is no regular file")
        found = bytearray()
        while len(found) <= most and (piece := os.read(handle, _CHUNK)):
            found += piece
    finally:
        os.close(handle)
    if len(found) > most:
        raise Unfit(f"it is larger than {most >> 10} KiB")
    return bytes(found)
