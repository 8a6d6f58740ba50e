"""What a key is called, and which sign it types: Textual names punctuation as Unicode does, with a few shorter names. Pure."""

from __future__ import annotations

from typing import Final

_SHORT_NAMES: Final = {
    "slash": "solidus", "backslash": "reverse_solidus", "at": "commercial_at", "minus": "hyphen-minus", "plus": "plus_sign",
    "underscore": "low_line",
}  # fmt: skip
_SHORTENED: Final = {long.replace("-", "_"): short for short, long in _SHORT_NAMES.items()}


def parted(key: str) -> tuple[str, str]:
    """What is held, and the key itself: ``ctrl+`` and ``k``. A plus may be either."""
    last = key[-1:] if key.endswith("+") else key.rpartition("+")[2]
    return key[: len(key) - len(last)], last


def sign_of(name: str) -> str:
    """The sign that the key of this name types, whatever is held beside it; "" where there is none to be seen: Esc, the space bar, a function key."""
    if len(name) == 1:
        return name
    import unicodedata  # most keys that are named have one sign, and most people keep the keys as they are

    try:
        sign = unicodedata.lookup(_SHORT_NAMES.get(name, name).replace("_", " "))
    except KeyError:
        return ""
    return sign if sign.isprintable() and not sign.isspace() else ""


def named(key: str) -> str:
    """A key as the screen's toolkit names it, however a person writes it: ``question_mark`` for ``?``, what is held in the order of letters."""
    held, last = parted(key)
    if (sign := sign_of(last)) and not sign.isalnum():
        import unicodedata

        last = unicodedata.name(sign).lower().replace("-", "_").replace(" ", "_")
        last = _SHORTENED.get(last, last)
    return "+".join((*sorted(held.split("+")[:-1]), last))
