"""``./netless`` on a machine that has never seen it: it makes its environment, survives being interrupted, and says what is missing."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[2]
TOOLS = ("sh", "dirname", "readlink", "id", "uname", "touch", "cat", "mkdir", "rm", "flock", "sed", "tail", "ls", "grep")


@pytest.fixture(scope="module", autouse=True)
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A machine whose python3 is the tests' own and whose package registry is a folder: the real one is asked once, for all tests here.

    The folder holds ``wheels`` and ``bin``. No settings of pip count.
    """
    top = tmp_path_factory.mktemp("machine")
    fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary", ":all:", "--dest", str(top / "wheels"), "--require-hashes", "-r"]
    fetch.append(str(CHECKOUT / "lock.txt"))
    done = subprocess.run(fetch, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    (top / "bin").mkdir()
    (top / "bin/python3").symlink_to(os.path.realpath(sys.executable))
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(("PIP_", "XDG_CACHE"))]:
            patch.delenv(name)
        for name, value in settings(top).items():
            patch.setenv(name, value)
        yield top


def settings(machine: Path) -> dict[str, str]:
    """The environment in which nothing but that machine's python3 and registry are found."""
    return {
        "PATH": f"{machine / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(machine / "wheels"),
        "PIP_CONFIG_FILE": os.devnull,
    }


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what the launcher needs, without any environment."""
    top = tmp_path_factory.mktemp("clone") / "check out"
    top.mkdir()
    for name in ("netless", "lock.txt"):
        shutil.copy2(CHECKOUT / name, top / name)
    for name in ("tui", "lab", "lessons"):
        shutil.copytree(CHECKOUT / name, top / name, ignore=shutil.ignore_patterns("__pycache__"))
    return top


@pytest.fixture(scope="module")
def started(clone: Path) -> Path:
    """The copy after its first start."""
    done = start(clone, "--version")
    assert done.stdout.startswith("netless "), done.stderr
    return clone


def environment(**more: str) -> dict[str, str]:
    """The environment of a person who has never heard of Python."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")} | more


def start(clone: Path, *words: str, cwd: Path | None = None, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the launcher to its end."""
    command = [str(clone / "netless"), *words]
    return subprocess.run(command, capture_output=True, text=True, env=environment(**more), cwd=cwd, timeout=300, check=False)


def begin(clone: Path) -> subprocess.Popen[str]:
    """Begin a first start in a session of its own and return once it is at work."""
    process = subprocess.Popen(
        [str(clone / "netless"), "--version"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment(), start_new_session=True,
    )  # fmt: skip
    end = time.monotonic() + 60
    while not (clone / ".venv" / "netless-building").exists():
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.02)
    return process


def test_a_first_start_that_is_killed_is_repaired_by_the_next(clone: Path, tmp_path: Path) -> None:
    """SIGKILL in the middle; then two at once: one makes it, the other waits; both answer."""
    clone = _without_environment(clone, tmp_path)
    killed = begin(clone)
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate()
    assert (clone / ".venv" / "netless-building").exists()

    first = begin(clone)
    second = start(clone, "--version")
    out, err = first.communicate(timeout=300)
    assert out.startswith("netless ") and second.stdout == out, err + second.stderr
    assert "interrupted" in err + second.stderr
    assert "waiting" in err + second.stderr
    assert not (clone / ".venv" / "netless-building").exists()


def test_a_later_start_runs_no_pip(started: Path) -> None:
    """Once made, the environment is used as it is: nothing is said, nothing in it changes."""
    log = started / ".venv" / "netless-install.log"
    before = log.stat().st_mtime_ns
    done = start(started, "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert log.stat().st_mtime_ns == before


def test_a_newer_lock_that_says_the_same_costs_nothing(started: Path, tmp_path: Path) -> None:
    """As after a checkout of another branch and back: pip is not woken."""
    copy = copied(started, tmp_path / "edited")
    log = copy / ".venv/netless-install.log"
    before = log.stat().st_mtime_ns
    (copy / "lock.txt").touch()
    done = start(copy, "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert log.stat().st_mtime_ns == before


def copied(checkout: Path, place: Path) -> Path:
    """``cp -a``, and a version of its own to tell it from the original."""
    shutil.copytree(checkout, place, symlinks=True)
    (place / "tui/netless/__init__.py").write_text('__version__ = "of the copy"\n')
    return place


def runs_from(checkout: Path) -> str:
    """Where the environment of a checkout finds the lab's code, asked of its Python without the launcher."""
    ask = [str(checkout / ".venv/bin/python"), "-c", "import netless_lab; print(*netless_lab.__path__)"]
    return subprocess.run(ask, capture_output=True, text=True, env=environment(), cwd="/", check=True).stdout.strip()


def road(checkout: Path) -> Path:
    """The file by which an environment leads to the code."""
    (found,) = checkout.glob(".venv/lib/python3*/site-packages/netless.pth")
    return found


def test_a_copied_checkout_runs_its_own_code(started: Path, tmp_path: Path) -> None:
    """``cp -a`` takes the environment along, and it follows at once: nothing is said or made, and the original stays as it is."""
    copy = copied(started, tmp_path / "the copy")
    assert runs_from(copy) == str(copy / "lab/netless_lab")
    done = start(copy, "--version")
    assert (done.stdout, done.stderr) == ("netless of the copy\n", "")
    assert "of the copy" not in start(started, "--version").stdout
    assert runs_from(started) == str(started / "lab/netless_lab")


def test_a_moved_checkout_goes_on(started: Path, tmp_path: Path) -> None:
    """``mv`` of the folder changes nothing, reached by a link or not."""
    copied(started, tmp_path / "here").rename(tmp_path / "over there")
    (tmp_path / "nl").symlink_to(tmp_path / "over there/netless")
    for way in (tmp_path / "over there/netless", tmp_path / "nl"):
        done = subprocess.run([str(way), "--version"], capture_output=True, text=True, env=environment(), check=False)
        assert (done.stdout, done.stderr) == ("netless of the copy\n", "")


@pytest.mark.parametrize("content", ["{original}/tui\n{original}/lab\n", "{own}/tui\n{own}/lab\n", "", None], ids=["original", "own", "empty", "none"])
def test_an_environment_that_leads_elsewhere_is_mended(started: Path, tmp_path: Path, content: str | None) -> None:
    """One made when the file held absolute paths, or without it: the next start mends it, without pip, and those after it are quick again."""
    copy = copied(started, tmp_path / "the copy")
    pip = copy / ".venv/netless-install.log"
    before = pip.stat().st_mtime_ns
    road(copy).unlink()
    if content is not None:
        (copy / road(started).relative_to(started)).write_text(content.format(original=started, own=copy))
    done = start(copy, "--version")
    assert (done.stdout, done.stderr) == ("netless of the copy\n", "")
    assert runs_from(copy) == str(copy / "lab/netless_lab")
    assert road(copy).read_text() == road(started).read_text()
    assert pip.stat().st_mtime_ns == before
    mended = (copy / ".venv/netless-stamp").stat().st_mtime_ns
    assert start(copy, "--version").stdout == "netless of the copy\n"
    assert (copy / ".venv/netless-stamp").stat().st_mtime_ns == mended, "the second start made it anew"


def test_words_and_exit_codes_pass_through(started: Path, tmp_path: Path) -> None:
    """Arguments reach the program as they are, from any folder, even one with modules of our names in it; so do exit codes."""
    (tmp_path / "rich.py").write_text("raise SystemExit('the wrong rich')\n")
    (tmp_path / "msgspec.py").write_text("raise SystemExit('the wrong msgspec')\n")
    assert start(started, "courses", "--json", cwd=tmp_path).returncode == 0
    done = start(started, "no such verb", cwd=tmp_path)
    assert done.returncode == 2 and "no such verb" in done.stderr


def test_it_can_be_reached_by_a_link(started: Path, tmp_path: Path) -> None:
    """A symbolic link in a folder of the PATH works."""
    (tmp_path / "nl").symlink_to(started / "netless")
    done = subprocess.run([str(tmp_path / "nl"), "--version"], capture_output=True, text=True, env=environment(), check=False)
    assert done.stdout.startswith("netless "), done.stderr


def test_ctrl_c_during_the_first_start_says_so(clone: Path, tmp_path: Path) -> None:
    """SIGINT ends it with 130 and a sentence, no traceback."""
    fresh = _without_environment(clone, tmp_path)
    process = begin(fresh)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in err and "Traceback" not in err


def test_a_missing_venv_module_names_the_package(clone: Path, tmp_path: Path) -> None:
    """Debian without python3-venv: exit 3 and the command to type."""
    fresh = _without_environment(clone, tmp_path)
    (tmp_path / "ensurepip.py").write_text("raise ModuleNotFoundError('ensurepip')\n")
    done = start(fresh, PYTHONPATH=str(tmp_path))
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    assert done.returncode == 3
    assert "lacks its venv module" in done.stderr and "python3" in done.stderr
    assert version in done.stderr or "python3." in done.stderr


@pytest.mark.parametrize(("python", "said"), [(None, "python3 is missing"), ("3.9.2", "python3 here is 3.9.2")])
def test_no_python_or_an_old_one_names_the_command(clone: Path, tmp_path: Path, python: str | None, said: str) -> None:
    """Without a Python that is new enough: exit 3, what is there, and what to run."""
    fresh = _without_environment(clone, tmp_path)
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in TOOLS:
        (tools / name).symlink_to(shutil.which(name) or "/bin/false")
    if python:
        (tools / "python3").write_text(f'#!/bin/sh\ncase "$*" in *platform*) echo {python} ;; *) exit 1 ;; esac\n')
        (tools / "python3").chmod(0o755)
    done = start(fresh, PATH=str(tools))
    assert done.returncode == 3
    assert said in done.stderr and "python3" in done.stderr
    assert not (fresh / ".venv").exists()


def test_no_network_is_explained(clone: Path, tmp_path: Path) -> None:
    """pip cannot reach its index: exit 3, the end of its log, and the next start tries again."""
    fresh = _without_environment(clone, tmp_path)
    done = start(fresh, "--version", PIP_NO_INDEX="1", PIP_FIND_LINKS=str(tmp_path))
    assert done.returncode == 3
    assert "No matching distribution" in done.stderr and "start again" in done.stderr


def spoilt(machine: Path, name: str, place: Path) -> Path:
    """A registry like that of the machine, where somebody has put a file of theirs in place of a package's, under its name."""
    registry = place / "registry"
    shutil.copytree(machine / "wheels", registry)
    (wheel,) = registry.glob(f"{name}-*.whl")
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr(f"{name}/theirs.py", "print('theirs')\n")
    return registry


def test_the_first_start_installs_the_versions_of_the_lock(started: Path) -> None:
    """Just those of lock.txt, beside pip itself."""
    ask = [str(started / ".venv/bin/python"), "-m", "pip", "list", "--format=freeze"]
    listed = subprocess.run(ask, capture_output=True, text=True, env=environment(), check=True).stdout
    there = {line.strip().lower().replace("_", "-") for line in listed.splitlines()}
    wanted = {re.sub(r"\[.*?\]", "", line.split(" ")[0]) for line in (started / "lock.txt").read_text().splitlines() if re.match("[a-z].*==", line)}
    assert {line for line in there if not line.startswith(("pip==", "setuptools=="))} == wanted


def test_a_file_that_the_lock_does_not_know_is_refused(clone: Path, machine: Path, tmp_path: Path) -> None:
    """Another file under the name and version of a package: exit 3, said in words, and it is not installed; the next start tries again."""
    fresh = _without_environment(clone, tmp_path)
    done = start(fresh, "--version", PIP_FIND_LINKS=str(spoilt(machine, "rich", tmp_path)))
    assert done.returncode == 3
    assert "not the one that lock.txt names" in done.stderr and "start again" in done.stderr
    assert not list(fresh.glob(".venv/lib/python3*/site-packages/rich"))
    assert start(fresh, "--version").stdout.startswith("netless ")


def test_without_a_network_the_first_start_says_what_it_needs(clone: Path, tmp_path: Path) -> None:
    """An index that nobody answers for: exit 3, and that it is once."""
    fresh = _without_environment(clone, tmp_path)
    done = start(fresh, "--version", PIP_NO_INDEX="0", PIP_FIND_LINKS="", PIP_INDEX_URL="http://127.0.0.1:9/simple", PIP_RETRIES="1")
    assert done.returncode == 3
    assert "the first start needs a network, once" in done.stderr


def test_a_lock_that_changes_is_followed(started: Path, tmp_path: Path) -> None:
    """Another lock, after an update of the checkout: the next start installs what it says, and says so; the one after is quick."""
    copy = copied(started, tmp_path / "updated")
    site = road(copy).parent
    (copy / "lock.txt").write_text((copy / "lock.txt").read_text() + "# another one\n")
    shutil.rmtree(site / "mdurl")
    for record in site.glob("mdurl-*"):
        shutil.rmtree(record)
    done = start(copy, "--version")
    assert done.stdout == "netless of the copy\n" and "environment" in done.stderr
    assert (site / "mdurl").exists()
    assert start(copy, "--version").stderr == ""


@pytest.fixture
def of_somebody_else(clone: Path, machine: Path) -> Iterator[Path]:
    """A place that everybody may read: root's checkout ``netless tree``, a ``cache`` of the ordinary user's, and the machine's bin and wheels."""
    place = Path("/var/tmp") / f"netless-{os.getpid()}"
    try:
        shutil.copytree(clone, place / "netless tree", ignore=shutil.ignore_patterns(".venv*", "__pycache__"))
        for name in ("bin", "wheels"):
            shutil.copytree(machine / name, place / name, symlinks=True)
        (place / "cache").mkdir()
        subprocess.run(["chmod", "-R", "a+rX", str(place)], check=True)
        shutil.chown(place / "cache", "learner")
        yield place
    finally:
        shutil.rmtree(place)


def as_learner(place: Path, *words: str, without: str = "", **more: str) -> subprocess.CompletedProcess[str]:
    """The launcher of that checkout, run by the ordinary user; ``without`` is a variable they do not have."""
    command = ["runuser", "-u", "learner", "--", "env", *(("-u", without) if without else ()), str(place / "netless tree/netless"), *words]
    env = environment(**settings(place), **more)
    return subprocess.run(command, capture_output=True, text=True, env=env, cwd="/", timeout=300, check=False)


@pytest.mark.root
def test_a_checkout_of_somebody_else_is_left_alone(of_somebody_else: Path) -> None:
    """An ordinary user's environment lies in their own cache; nothing is written into the checkout."""
    tree, cache = of_somebody_else / "netless tree", of_somebody_else / "cache"
    before = sorted(str(path) for path in tree.rglob("*"))
    for _ in range(2):
        done = as_learner(of_somebody_else, "--version", XDG_CACHE_HOME=str(cache))
        assert done.stdout.startswith("netless "), done.stderr
    assert done.stderr == "", "the second start finds everything done"
    assert sorted(str(path) for path in tree.rglob("*")) == before


@pytest.mark.root
@pytest.mark.parametrize("kept", ["XDG_CACHE_HOME", "HOME", "a folder like /tmp"])
def test_what_lies_in_the_cache_of_somebody_else_is_not_run(of_somebody_else: Path, kept: str) -> None:
    """Root starts a checkout of a third user with the variables of the ordinary one, who has laid an environment there: exit 3, what to set,
    and nothing of it ran."""
    tree, home, mark = of_somebody_else / "netless tree", of_somebody_else / "home", of_somebody_else / "ran"
    cache = home / ".cache"
    laid = Path(f"{cache}/netless{tree}")
    (laid / "bin").mkdir(parents=True)
    (laid / "lib/python3.11/site-packages").mkdir(parents=True)
    (laid / "lib/python3.11/site-packages/netless.pth").write_text(f"{tree}/tui\n")
    (laid / "bin/python").write_text(f"#!/bin/sh\ntouch {mark}\n")
    (laid / "bin/python").chmod(0o755)
    (laid / "netless-stamp").touch()
    subprocess.run(["chown", "-R", "learner", str(home)], check=True)
    subprocess.run(["chown", "-R", "nobody", str(tree)], check=True)
    if kept == "a folder like /tmp":
        shutil.chown(cache, "root")
        cache.chmod(0o1777)
    variables = {"HOME": str(home)} if kept == "HOME" else {"XDG_CACHE_HOME": str(cache)}
    words = ["env", *(("-u", "XDG_CACHE_HOME") if kept == "HOME" else ()), str(tree / "netless"), "--version"]
    done = subprocess.run(words, capture_output=True, text=True, env=environment(**settings(of_somebody_else), **variables), cwd="/", timeout=300, check=False)
    assert done.returncode == 3 and "Set XDG_CACHE_HOME to a folder of yours" in done.stderr, done
    assert not mark.exists()


@pytest.mark.root
def test_somebody_without_a_home_is_told_what_to_set(of_somebody_else: Path) -> None:
    """Neither HOME nor XDG_CACHE_HOME, and a checkout of somebody else: exit 3 and the variable to set, nothing written."""
    done = as_learner(of_somebody_else, "--version", without="HOME")
    assert done.returncode == 3
    assert "XDG_CACHE_HOME" in done.stderr and "HOME is not set" in done.stderr


def _without_environment(clone: Path, tmp_path: Path) -> Path:
    """A second copy, never started."""
    fresh = tmp_path / "fresh"
    shutil.copytree(clone, fresh, ignore=shutil.ignore_patterns(".venv*", "__pycache__"))
    return fresh
