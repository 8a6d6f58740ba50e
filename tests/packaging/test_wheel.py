"""The wheel, built from this checkout and installed far away from it, is whole."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]


def run(*words: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command with nothing of the checkout on its path."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | environment
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, cwd=cwd, env=env, timeout=300, check=False)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A freshly built wheel."""
    out = tmp_path_factory.mktemp("wheel")
    done = run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", out, CHECKOUT, cwd=out)
    assert done.returncode == 0, done.stdout + done.stderr
    (found,) = out.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean environment with the wheel in it; the packages it needs come from the tests' own environment by path. Its bin folder."""
    root = tmp_path_factory.mktemp("elsewhere")
    venv.create(root, with_pip=False)
    (site,) = root.glob("lib/python*/site-packages")
    done = run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", site, wheel, cwd=root)
    assert done.returncode == 0, done.stderr
    borrowed = root / "borrowed"
    borrowed.mkdir()
    for folder in (Path(path) for path in sys.path if path.endswith("site-packages")):
        for package in folder.iterdir():
            if not _is_ours(package.name) and not (borrowed / package.name).exists():
                (borrowed / package.name).symlink_to(package)
    (site / "borrowed.pth").write_text(f"{borrowed}\n")
    return root / "bin"


def _is_ours(name: str) -> bool:
    """Files by which the tests' own environment finds the checkout."""
    return name.startswith(("netless", "__editable__")) or name.endswith(".pth")


def test_the_top_level_is_ours_alone(wheel: Path) -> None:
    """Two packages and their metadata: no tests, no lessons, no lab or tui at the top of site-packages."""
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"netless", "netless_lab"}


def test_every_source_file_is_in_it(wheel: Path) -> None:
    """No module, stylesheet or lesson of the checkout is left behind."""
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    wanted = set()
    for root in ("tui", "lab"):
        for path in (CHECKOUT / root).rglob("*"):
            if path.is_file() and path.suffix != ".pyc":
                wanted.add(path.relative_to(CHECKOUT / root).as_posix())
    for path in (CHECKOUT / "lessons").rglob("*"):
        if path.is_file():
            wanted.add(f"netless_lab/_lessons/{path.relative_to(CHECKOUT / 'lessons').as_posix()}")
    assert wanted - inside == set()


def test_it_runs_far_from_the_checkout(installed: Path, tmp_path: Path) -> None:
    """The installed program answers, from a folder that has nothing to do with it."""
    done = run(installed / "python", "-m", "netless", "--version", cwd=tmp_path)
    assert done.stdout.startswith("netless "), done.stderr
    where = run(installed / "python", "-c", "import netless, netless_lab; print(netless.__file__, netless_lab.__file__)", cwd=tmp_path)
    assert str(CHECKOUT) not in where.stdout, where.stdout


def test_it_finds_its_lessons(installed: Path, tmp_path: Path) -> None:
    """The lessons come from the wheel, and they are all there."""
    done = run(installed / "python", "-m", "netless", "courses", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for lesson in ("netless", "cable", "switch", "internet", "neighbour"):
        assert f'"{lesson}"' in done.stdout


def test_its_shell_has_its_start_up_file(installed: Path, tmp_path: Path) -> None:
    """The shell that the installed program starts reads the start-up file of the wheel: it marks its prompt and names its node."""
    where = run(installed / "python", "-c", "import netless.shell as s; print(*s.command(), sep='\\0', end='')", cwd=tmp_path)
    assert str(CHECKOUT) not in where.stdout, where.stdout
    command = where.stdout.split("\0")
    done = subprocess.run(command, input="exit\n", capture_output=True, text=True, env={**os.environ, "NETLESS_NODE": "c7"}, timeout=60, check=False)
    assert "\x1b]133;A" in done.stderr, done.stderr
    assert "c7" in done.stderr


def test_it_installs_a_command(wheel: Path) -> None:
    """`netless` is the one console script."""
    with zipfile.ZipFile(wheel) as archive:
        entry = next(name for name in archive.namelist() if name.endswith("entry_points.txt"))
        lines = archive.read(entry).decode().split("\n")
    assert [line for line in lines if "=" in line] == ["netless = netless.__main__:main"]
