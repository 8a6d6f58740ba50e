"""What the documents promise exists: verbs of the command line, words of the lessons, files they link to."""

from __future__ import annotations

import importlib
import keyword
import re
from pathlib import Path

import pytest

from netless.printer import Exit
from netless.usage.table import EXITS, SHOWN, VERBS, readme
from netless_lab.primitives.registry import ACTIONS, EXPECTATIONS

CHECKOUT = Path(__file__).resolve().parents[2]
DOCUMENTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")


def text(name: str) -> str:
    """A document of the top level."""
    return (CHECKOUT / name).read_text(encoding="utf-8")


def test_the_verbs_of_the_readme_are_those_of_the_table() -> None:
    """The README has the table as it is printed: ``PYTHONPATH=tui:lab python -c 'from netless.usage.table import readme; print(readme())'``;
    and what the exit codes mean.
    """
    assert f"\n{readme()}\n" in text("README.md")
    assert f"Exit codes: {', '.join(f'{code} {means}' for code, means in EXITS.items())}." in text("README.md")
    assert set(EXITS) == {int(code) for code in Exit}


def test_every_verb_in_the_prose_exists() -> None:
    """Every `netless VERB` of the documents is a verb that is shown."""
    named = set(re.findall(r"`(?:\./)?netless ([a-z]+)", text("README.md") + text("CONTRIBUTING.md")))
    assert len(named) > 10
    assert named <= {verb.name for verb in SHOWN}


def test_every_verb_has_its_function() -> None:
    """What the table names as the module of a verb has a function of its name."""
    for verb in VERBS.values():
        module = importlib.import_module(f"netless.verbs.{verb.module}")
        assert callable(getattr(module, verb.name if not keyword.iskeyword(verb.name) and verb.name != "exec" else f"{verb.name}_")), verb


@pytest.mark.parametrize(("kind", "known"), [("Actions", ACTIONS), ("Expectations", EXPECTATIONS)])
def test_the_words_of_the_lessons_are_documented(kind: str, known: dict[str, type]) -> None:
    """CONTRIBUTING lists the verbs a lesson may use: none that does not exist, and only inverses are left out."""
    block = re.search(rf"(?ms)^{kind}: (.*?)\.$", text("CONTRIBUTING.md"))
    assert block is not None
    listed = set(re.findall(r"`([a-z-]+)`", block[1]))
    assert listed <= set(known)
    assert {word for word in set(known) - listed if not word.startswith("un")} == set()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_lead_somewhere(name: str) -> None:
    """Relative links and pictures exist; anchors are headings of the page."""
    page = text(name)
    headings = {re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in re.findall(r"(?m)^#+ (.+)$", page)}
    for target in re.findall(r"\]\(([^)]+)\)", page):
        if target.startswith("#"):
            assert target[1:] in headings, target
        elif not target.startswith("http"):
            assert (CHECKOUT / target).exists(), target


def test_every_dependency_has_its_reason() -> None:
    """CONTRIBUTING says of each package what it replaces."""
    import tomllib

    project = tomllib.loads(text("pyproject.toml"))["project"]
    names = [re.match(r"[A-Za-z0-9-]+", line) for line in project["dependencies"]]
    for name in names:
        assert name is not None and f"| {name[0]} |" in text("CONTRIBUTING.md")
