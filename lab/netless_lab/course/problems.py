"""What is wrong with a lesson, where, and what to write instead.

A problem is always a whole sentence about one line. The reader of lessons collects as many as it can before it gives up, so
that an author sees all of them at once.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec


class Problem(msgspec.Struct, frozen=True, order=True):
    """One thing wrong at ``line`` (from 1) of ``file``; ``advice`` says what to write instead."""

    file: str
    line: int
    what: str
    advice: str = ""

    def __str__(self) -> str:
        """``02-cable.md:14: no action is called "moev". Did you mean "move"?``"""
        return " ".join(part for part in (f"{self.file}:{self.line}:", self.what, self.advice) if part)


class Objection(msgspec.Struct, frozen=True):
    """Why a word cannot be used, and what to write instead."""

    what: str
    advice: str


class BadLesson(Exception):
    """A page or a course that cannot be used; ``problems`` says why."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class Report:
    """Collects the problems of one file while it is read."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._found: dict[Problem, None] = {}

    def add(self, line: int, what: str, advice: str = "") -> None:
        """Note one problem; the same sentence about the same line is noted once."""
        self._found.setdefault(Problem(self.file, max(line, 1), what, advice))

    def refuse(self, line: int, refused: Objection | None) -> bool:
        """Note why a word cannot be used, and say whether there was anything to note."""
        if refused is not None:
            self.add(line, refused.what, refused.advice)
        return refused is not None

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What was found, by line."""
        return tuple(sorted(self._found, key=lambda problem: problem.line))

    @property
    def clean(self) -> bool:
        """True while nothing is wrong."""
        return not self._found


def nearest(word: str, known: Iterable[str], count: int = 3) -> tuple[str, ...]:
    """The known words that look most like ``word``, best first; letter case does not matter."""
    by_lower = {name.lower(): name for name in known}
    import difflib  # for pages with mistakes

    return tuple(by_lower[match] for match in difflib.get_close_matches(word.lower(), by_lower, n=count, cutoff=0.55))


def did_you_mean(word: str, known: Iterable[str], label: str = "Known") -> str:
    """Advice for an unknown word: the nearest known ones, else all of them."""
    names = sorted(set(known))
    near = nearest(word, names)
    if near:
        return f"Did you mean {either(near)}?"
    return f"{label}: {', '.join(names)}." if names else ""


def either(words: Iterable[str]) -> str:
    """``"a"``, ``"a" or "b"``, ``"a", "b" or "c"``"""
    quoted = [f'"{word}"' for word in words]
    if len(quoted) < 2:
        return "".join(quoted)
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}"
