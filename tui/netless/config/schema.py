"""What can be set: one struct, whose fields say of themselves what they mean, which variable and which option say the same. Pure."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, NamedTuple, get_args, get_type_hints

import msgspec
from msgspec import Meta

from netless_lab.primitives.roles import Dialect

from .shared import VARIABLES

Value = str | int | bool | dict[str, tuple[str, ...]]
"""What a setting may be."""
GlyphChoice = Literal["auto", "unicode", "ascii"]
MAX_SCROLLBACK: Final = 100_000


def _meta(about: str, variable: str = "", option: str = "", least: int | None = None, most: int | None = None) -> Meta:
    return Meta(description=about, extra={"variable": variable, "option": option}, ge=least, le=most)


class Settings(msgspec.Struct, frozen=True, rename="kebab"):
    """Every setting with its default."""

    theme: Annotated[str, _meta("colours: auto asks the terminal for its background; dark; light; or NAME of a file themes/NAME.toml beside this one",
                                "NETLESS_THEME", "--theme")] = "auto"
    glyphs: Annotated[GlyphChoice, _meta("signs of borders, marks and the picture: unicode, ascii, or auto: ascii where the locale has no UTF-8",
                                         "NETLESS_GLYPHS", "--glyphs")] = "auto"
    plain: Annotated[bool, _meta("whether the tutor tells line by line, without a screen: for readers that speak, and for terminals of any kind",
                                 "NETLESS_PLAIN", "--plain")] = False
    animations: Annotated[bool, _meta("whether packets move and changes flash in the picture", "NETLESS_ANIMATIONS")] = True
    mouse: Annotated[bool, _meta("whether the tutor takes the mouse; without it the terminal selects text as ever", "NETLESS_MOUSE")] = True
    scrollback: Annotated[int, _meta("rows that a terminal of the tutor keeps above its screen", "NETLESS_SCROLLBACK", "", 0, MAX_SCROLLBACK)] = 2000
    language: Annotated[str, _meta('language of lessons where they are translated: zh, pt-BR; "" for that of the locale', VARIABLES["language"], "--lang")] = ""
    lessons: Annotated[str, _meta("a folder of courses of your own; a path that does not begin with / begins here", VARIABLES["lessons"], "--lessons")] = ""
    lab: Annotated[str, _meta("the lab of every command that names none", VARIABLES["lab"], "--lab")] = "default"
    dialect: Annotated[Literal["", Dialect], _meta('dialect of commands in a lab that starts anew: ip, legacy, pyroute2; "" for the one it had last',
                                                   "NETLESS_DIALECT")] = ""
    keys: Annotated[
        dict[str, tuple[str, ...]], _meta("other keys for commands (`netless keys` lists them): a key or a list of keys for each; the rest stay as they are")
    ] = {}


DEFAULTS: Final = Settings()
"""What counts where nothing is set."""


class Setting(NamedTuple):
    """One of them, as it is written: its name, type and default, what it means, and what else says it ("" for nothing)."""

    name: str
    kind: Any
    default: Value
    about: str
    variable: str
    option: str

    @property
    def choices(self) -> tuple[str, ...]:
        """The words it may be; () when it is no choice among words."""
        return tuple(word for word in get_args(get_args(self.kind)[0]) if isinstance(word, str))


def _settings() -> tuple[Setting, ...]:
    kinds = get_type_hints(Settings, include_extras=True)
    out = []
    for field in msgspec.structs.fields(Settings):
        kind = kinds[field.name]
        meta = get_args(kind)[1]
        extra = meta.extra or {}
        out.append(Setting(field.encode_name, kind, getattr(DEFAULTS, field.name), meta.description or "", extra["variable"], extra["option"]))
    return tuple(out)


SETTINGS: Final = _settings()
"""All of them, in the order in which they are shown."""


def example() -> str:
    """A file that sets nothing: every key with what it means and its default, to be changed."""
    lines = ["# Settings of netless. A line that begins with # says nothing; what is set here an environment variable or an option overrides."]
    for own in SETTINGS:
        also = " · ".join(filter(None, (own.variable, own.option)))
        lines += ["", f"# {own.about}" + (f"  ({also})" if also else "")]
        lines += ["# [keys]", '# run = "f9"', '# check = ["c", "ctrl+k"]'] if own.name == "keys" else [f"# {own.name} = {toml(own.default)}"]
    return "\n".join(lines) + "\n"


def toml(value: Value) -> str:
    """A value as TOML writes it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} = [{', '.join(map(toml, keys))}]" for name, keys in value.items()) + "}"
    return msgspec.json.encode(value).decode()
