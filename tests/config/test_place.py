"""Who says what: an option before the environment, that before the file, that before the default; and what a broken file does to which command."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.command_line import own
from netless.config.place import resolve, settings
from netless.config.schema import example
from netless.config.shared import hand_on, path
from netless_lab.errors import Refusal


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file of settings, and its place."""
    own = tmp_path / "netless" / "config.toml"
    own.parent.mkdir()
    own.write_text('theme = "light"\nlab = "ana"\nlanguage = "zh"\nlessons = "mine"\n', encoding="utf-8")
    return own


def said(environment: dict[str, str], name: str, **options: str) -> tuple[object, str]:
    """A setting's value and who says it."""
    found = next(own for own in resolve(environment, {f"--{key}": value for key, value in options.items()}) if own.name == name)
    return found.value, found.origin


def test_who_says_what(file: Path) -> None:
    """An empty variable says nothing."""
    there = {"XDG_CONFIG_HOME": str(file.parents[1])}
    assert said(there, "theme", theme="dark") == ("dark", "--theme")
    assert said({**there, "NETLESS_THEME": "dark"}, "theme") == ("dark", "NETLESS_THEME")
    assert said({**there, "NETLESS_THEME": ""}, "theme") == ("light", "config.toml:1")
    assert said(there, "glyphs") == ("auto", "default")
    assert settings(there, {}).lab == "ana"


def test_where_the_file_lies() -> None:
    """As XDG has it: a relative folder is not heeded."""
    assert path({"XDG_CONFIG_HOME": "/x", "HOME": "/h"}) == "/x/netless/config.toml"
    assert path({"XDG_CONFIG_HOME": "x", "HOME": "/h"}) == "/h/.config/netless/config.toml"
    assert path({}) == ""


def test_lessons_are_looked_for_beside_the_file(file: Path) -> None:
    """Wherever the command is typed."""
    assert said({"XDG_CONFIG_HOME": str(file.parents[1])}, "lessons")[0] == str(file.parent / "mine")


def test_a_value_of_the_environment_that_cannot_be_used_is_refused() -> None:
    """With the name of the variable."""
    with pytest.raises(Refusal, match="NETLESS_GLYPHS asci: it can be auto, unicode, ascii"):
        resolve({"NETLESS_GLYPHS": "asci"}, {})


def test_what_every_command_goes_by_is_handed_on(file: Path) -> None:
    """To the lab as well; never over what is said already."""
    environment = {"XDG_CONFIG_HOME": str(file.parents[1]), "NETLESS_LANG": "pt", "NETLESS_LAB": ""}
    assert hand_on(environment) is None
    assert (environment["NETLESS_LAB"], environment["NETLESS_LANG"], environment["NETLESS_LESSONS"]) == ("ana", "pt", str(file.parent / "mine"))


def test_a_file_without_them_is_not_parsed(file: Path) -> None:
    """A command that needs none of it does not pay for it, nor stumble over it."""
    file.write_text('theme = "light"\nmouse = maybe\n# lab = "x"\n', encoding="utf-8")
    environment = {"XDG_CONFIG_HOME": str(file.parents[1])}
    assert hand_on(environment) is None
    assert "NETLESS_LAB" not in environment


def test_a_misspelt_lab_is_refused_and_never_taken_for_another(file: Path) -> None:
    """Else a command would act on a lab that was not meant."""
    file.write_text('labb = "ana"\n', encoding="utf-8")
    refused = hand_on({"XDG_CONFIG_HOME": str(file.parents[1])})
    assert str(refused) == f"{file}:1: there is no setting labb; did you mean lab?"


def netless(*words: str, home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """The command line itself."""
    environment = {**os.environ, "XDG_CONFIG_HOME": str(home), "PYTHONPATH": os.pathsep.join(sys.path), **more}
    return subprocess.run([sys.executable, "-P", "-m", "netless", *words], env=environment, capture_output=True, text=True, timeout=60)


def test_the_verb(file: Path) -> None:
    """Shown with who says it, as a document, checked, and its place."""
    home = file.parents[1]
    shown = netless("--theme", "dark", "config", "--json", home=home, NETLESS_SCROLLBACK="9")
    found = {own["name"]: (own["value"], own["origin"]) for own in json.loads(shown.stdout)["settings"]}
    assert found["theme"] == ("dark", "--theme")
    assert found["scrollback"] == (9, "NETLESS_SCROLLBACK")
    assert found["lab"] == ("ana", "config.toml:2")
    assert netless("config", "path", home=home).stdout == f"{file}\n"
    assert netless("config", "check", home=home).returncode == 0
    file.write_text('thme = "x"\nglyphs = 1\n', encoding="utf-8")
    checked = netless("config", "check", home=home)
    assert checked.returncode == 2
    assert checked.stdout.splitlines() == [
        f"{file}:1: there is no setting thme; did you mean theme?", f"{file}:2: glyphs = 1: it can be auto, unicode, ascii",
    ]  # fmt: skip
    assert netless("config", home=home).returncode == 2


def test_the_themes_of_ones_own_are_checked_too(file: Path) -> None:
    """What is wrong in each of their files and a setting that names none are told by file and line; what can hardly be read is told beside it."""
    home, themes = file.parents[1], file.parent / "themes"
    themes.mkdir()
    (themes / "sea.toml").write_text('background = "#001122"\nmuted = "#223344"\n', encoding="utf-8")
    checked = netless("config", "check", home=home)
    assert (checked.returncode, checked.stdout) == (0, f"{file}: nothing is wrong\n{themes / 'sea.toml'}: nothing is wrong\n")
    assert f"{themes / 'sea.toml'}: muted on panel has a contrast of" in checked.stderr
    (hard, *_) = json.loads(netless("config", "check", "--json", home=home).stdout)["hard_to_read"]
    assert hard["path"] == str(themes / "sea.toml") and hard["text"].startswith("muted on panel has a contrast of")
    (themes / "bad.toml").write_text('base = "dark"\nacent = "#001122"\n', encoding="utf-8")
    (themes / "worse.toml").write_bytes(b"\n\xff")
    file.write_text('\ntheme = "see"\n', encoding="utf-8")
    checked = netless("config", "check", home=home)
    assert (checked.returncode, checked.stdout.splitlines()) == (2, [
        f"{file}:2: there is no theme see; there are: auto, dark, light, bad, sea, worse; did you mean sea?",
        f"{themes / 'bad.toml'}:2: there is no colour acent; did you mean accent?",
        f"{themes / 'sea.toml'}: nothing is wrong",
        f"{themes / 'worse.toml'}:2: this is no text in UTF-8",
    ])  # fmt: skip
    told = json.loads(netless("config", "check", "--json", home=home).stdout)["problems"]
    assert [(own["path"], own["line"]) for own in told] == [(str(file), 2), (str(themes / "bad.toml"), 2), (str(themes / "worse.toml"), 2)]


def test_a_theme_that_is_not_there_is_refused_wherever_it_is_said(file: Path) -> None:
    """As every other value that cannot be used, by every command that goes by settings: the tutor that tells lines needs no colours, and a
    misspelt word is one all the same."""
    home = file.parents[1]
    for words, more in ((("--theme", "drak"), {}), ((), {"NETLESS_THEME": "drak"})):
        for verb in ((), ("--plain",), ("config",)):
            refused = netless(*words, *verb, home=home, **more)
            assert refused.returncode == 2
            assert "there is no theme drak; there are: auto, dark, light" in refused.stderr
    file.write_text('theme = "drak"\n', encoding="utf-8")
    assert f"{file}:1: there is no theme drak" in netless("--plain", home=home).stderr


def test_a_file_that_is_not_there_is_said_not_to_be(tmp_path: Path) -> None:
    """Not that nothing is wrong with it: who wrote it somewhere else hears so. That is no fault, though: defaults count."""
    file = path({"XDG_CONFIG_HOME": str(tmp_path)})
    checked = netless("config", "check", home=tmp_path)
    assert (checked.returncode, checked.stdout) == (0, f"{file}: there is no such file, so defaults count\n")
    assert netless("config", home=tmp_path).stderr.startswith(f"there is no {file} yet;")
    assert json.loads(netless("config", "check", "--json", home=tmp_path).stdout)["found"] is False


def test_the_command_of_the_readme_writes_a_file_that_counts(tmp_path: Path, checkout: Path) -> None:
    """In a home without any settings, as it stands there; where `config path` says."""
    command = re.search(r"`([^`\n]*netless config --example > [^`\n]*)`", (checkout / "README.md").read_text(encoding="utf-8"))
    assert command is not None
    environment = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}
    typed = command[1].replace("netless config", f"{shlex.quote(sys.executable)} -P -m netless config")
    subprocess.run(["sh", "-ec", typed], env=environment, check=True, timeout=60)
    file = Path(path({"HOME": str(tmp_path)}))
    assert file.read_text(encoding="utf-8") == example()


def test_a_broken_file_stops_neither_help_nor_the_check_nor_the_version(file: Path) -> None:
    """Those are what one mends it with; every other command refuses, so that nothing is done in another lab than was meant."""
    home = file.parents[1]
    file.write_text("lab = \n", encoding="utf-8")
    assert [netless(*words.split(), home=home).returncode for words in ("--help", "status --help", "--version", "config path")] == [0, 0, 0, 0]
    assert [netless(*words.split(), home=home).returncode for words in ("status", "exec host -- true", "config")] == [2, 2, 2]


def test_who_asks_for_none_of_it_pays_for_none_of_it(file: Path) -> None:
    """Neither the schema nor a reader of TOML is imported for a verb that joins a lab, with a file that sets nothing it goes by."""
    file.write_text('theme = "light"\n', encoding="utf-8")
    code = (
        "import os, sys; from netless.config.shared import hand_on; hand_on(os.environ); import netless.cli, netless.verbs.lab, netless.verbs.nodes\n"
        "print(sorted({'tomllib', 'netless.config.schema', 'netless.config.place'} & set(sys.modules)))"
    )
    environment = {**os.environ, "XDG_CONFIG_HOME": str(file.parents[1]), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-P", "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.kernel
@pytest.mark.rootless
def test_a_lab_that_starts_is_the_one_that_is_set_and_speaks_the_dialect_that_is_set(file: Path, tmp_path: Path) -> None:
    """A lab that runs already keeps what it speaks."""
    with own(tmp_path / "state") as cli:
        file.write_text(f'lab = "{cli.lab}"\ndialect = "legacy"\n', encoding="utf-8")
        cli.environment |= {"XDG_CONFIG_HOME": str(file.parents[1]), "NETLESS_LAB": ""}
        cli("up")
        assert cli.json("status")["dialect"] == "legacy"
        cli("run", "--dialect", "pyroute2")
        cli("up")
        found = cli.json("status")
        assert (found["lab"], found["dialect"]) == (cli.lab, "pyroute2")
