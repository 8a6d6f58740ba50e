"""The doctor tries the real thing and explains what fails: on good machines, on machines made bad on purpose, and on described ones."""

from __future__ import annotations

import ctypes
import errno
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from helpers import forked
from netless_lab.model.needs import NEEDS
from netless_lab.sandbox import doctor
from netless_lab.sandbox.explain import apparmor_profile, explain_kernel, explain_need, explain_start
from netless_lab.sandbox.facts import Facts, gather
from netless_lab.sandbox.limits import Limits
from netless_lab.sandbox.status import Failure, Stage
from netless_lab.sandbox.trial import TRIALS, Outcome
from sandbox.helpers.alone import Machine, alone, alone_as_root, remains
from sandbox.helpers.rooms import room

GOOD = Facts(uid=1000, release="6.8.0-31-generic", max_user_namespaces=100_000)
_libc = ctypes.CDLL(None, use_errno=True)


def names(report: doctor.Report, status: str) -> list[str]:
    """The checks of one status."""
    return [check.name for check in report.checks if check.status == status]


@alone
def test_a_machine_that_can() -> None:
    """Here every essential mechanism works; what this kernel lacks is told apart from what it has, and nothing remains."""
    before = Machine.now()
    report = doctor.examine()
    assert report.usable, report.summary
    assert names(report, "failed") == []
    good = names(report, "ok")
    for name in ("user namespace", "virtual cables (veth)", "bridges", "ping", "address translation (nftables)"):
        assert name in good
    for name, kind in (("VLAN (802.1Q)", "vlan id 7 link v0"), ("dummy interfaces", "dummy"), ("macvlan", "macvlan link v0")):
        kind, _, rest = kind.partition(" ")
        link = "link v0 " if "link" in rest else ""
        rest = rest.replace("link v0", "").strip()
        script = f"ip link add v0 type veth peer name v1; ip link add try {link}type {kind} {rest}"
        witness = subprocess.run(["unshare", "-Urn", "sh", "-c", script], capture_output=True, check=False)
        assert (name in good) == (witness.returncode == 0), witness.stderr
    assert remains(of=before) == []


@pytest.mark.kernel_may_lack
@pytest.mark.parametrize("mode", [0o600, 0o666], ids=oct)
@alone_as_root
def test_a_tun_device_of_root(mode: int) -> None:
    """An ordinary user's lab can make tun devices where /dev/net/tun is open to all; where not, the doctor names it, and the cure."""
    if not os.path.exists("/dev/net/tun"):
        pytest.skip("this kernel has no tun devices")
    forked.put_tun(mode)
    forked.become(forked.ORDINARY_USER)
    report = doctor.examine()
    assert report.usable
    (check,) = [check for check in report.checks if check.name == "tun and tap devices"]
    with room() as made:
        said = made.sh("ip tuntap add tun0 mode tun 2>&1; ip -br link show tun0 2>&1 || true")
    if mode == 0o666:
        assert check.status == "ok" and said.startswith("tun0 ")
    else:
        assert (check.status, check.detail) == ("missing", "Permission denied") and "Permission denied" in said
        assert "root only" in check.why and check.do == "sudo chmod 0666 /dev/net/tun"


def become_root_of_a_namespace() -> None:
    """A user and mount namespace in which this process may spoil things."""
    uid, gid = os.geteuid(), os.getegid()
    assert _libc.unshare(0x10000000 | 0x20000) == 0, os.strerror(ctypes.get_errno())
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        Path(f"/proc/self/{name}").write_text(text, encoding="ascii")


def failed(report: doctor.Report) -> doctor.Check:
    """The one check that failed."""
    assert not report.usable
    (check,) = [check for check in report.checks if check.status == "failed"]
    assert check.name in report.summary
    return check


@alone
def test_user_namespaces_switched_off() -> None:
    """With user.max_user_namespaces at 0 the first stage fails, and the switch is named."""
    become_root_of_a_namespace()
    Path("/proc/sys/user/max_user_namespaces").write_text("0", encoding="ascii")
    report = doctor.examine()
    assert failed(report).name == "user namespace"
    assert "user.max_user_namespaces is 0" in failed(report).why
    assert "sysctl user.max_user_namespaces" in report.summary


@alone
def test_too_few_user_namespaces() -> None:
    """One is not enough: the second stage fails, and the limit is named."""
    become_root_of_a_namespace()
    Path("/proc/sys/user/max_user_namespaces").write_text("1", encoding="ascii")
    check = failed(doctor.examine())
    assert check.name == "network, pid, mount, uts and ipc namespaces"
    assert "limit on user namespaces" in check.why


@alone
def test_inside_a_chroot() -> None:
    """The kernel refuses user namespaces in a chroot; the doctor says so."""
    become_root_of_a_namespace()
    os.mkdir("/tmp/root")
    subprocess.run(["mount", "--rbind", "/", "/tmp/root"], check=True)
    os.chroot("/tmp/root")
    check = failed(doctor.examine())
    assert check.name == "user namespace"
    assert "chroot" in check.why and "chroot" in check.do


@alone
def test_a_masked_proc() -> None:
    """Covered parts of /proc, as a container engine leaves them, are recognised by what they make impossible."""
    become_root_of_a_namespace()
    subprocess.run(["mount", "-t", "tmpfs", "mask", "/proc/bus"], check=True)
    check = failed(doctor.examine())
    assert check.name == "a /proc and /sys of its own"
    assert "covered" in check.why and "systempaths=unconfined" in check.do


@alone
def test_no_sysfs_of_ones_own() -> None:
    """Where only /sys is covered a lab still works, and what is lost is said."""
    become_root_of_a_namespace()
    subprocess.run(["mount", "-t", "tmpfs", "mask", "/sys/kernel"], check=True)
    report = doctor.examine()
    assert report.usable, report.summary
    assert any("/sys" in check.detail for check in report.checks if check.status == "missing")


def test_missing_tools_are_named_with_their_packages(tmp_path: Path) -> None:
    """A program that is not there is missing, not fatal, and the package to install is said."""
    checks = doctor.tool_checks(str(tmp_path))
    assert {check.status for check in checks} == {"missing"}
    brctl = next(check for check in checks if check.name == "brctl")
    assert brctl.do == "sudo apt-get install bridge-utils"
    assert doctor.conclude(checks).usable
    (tmp_path / "brctl").write_text("#!/bin/sh\n", encoding="ascii")
    (tmp_path / "brctl").chmod(0o755)
    assert next(check for check in doctor.tool_checks(str(tmp_path)) if check.name == "brctl").status == "ok"


@pytest.mark.parametrize(
    ("stage", "number", "facts", "why", "do"),
    [
        ("user namespace", errno.ENOSPC, replace(GOOD, max_user_namespaces=0), "is 0", "sysctl user.max_user_namespaces"),
        ("namespaces", errno.ENOSPC, GOOD, "limit", "sysctl"),
        ("user namespace", errno.EPERM, replace(GOOD, userns_clone=0), "unprivileged_userns_clone", "sysctl kernel.unprivileged_userns_clone=1"),
        ("user namespace", errno.EPERM, replace(GOOD, in_chroot=True), "chroot", "outside of the chroot"),
        ("uid map", errno.EPERM, replace(GOOD, apparmor_userns=1), "AppArmor", "apparmor_parser"),
        ("mounts", errno.EACCES, replace(GOOD, apparmor_userns=1), "AppArmor", "apparmor_parser"),
        ("proc and sys", errno.EPERM, replace(GOOD, apparmor_userns=1), "AppArmor", "apparmor_parser"),
        ("user namespace", errno.EPERM, replace(GOOD, seccomp=2), "seccomp", "--security-opt seccomp=unconfined"),
        ("user namespace", errno.EPERM, replace(GOOD, seccomp=2, docker_desktop=True), "seccomp", "Docker Desktop"),
        ("user namespace", errno.EPERM, replace(GOOD, seccomp=2, codespaces=True), "Codespaces", "devcontainer.json"),
        ("proc and sys", errno.EPERM, GOOD, "covered", "systempaths=unconfined"),
        ("user namespace", errno.EINVAL, GOOD, "CONFIG_USER_NS", "kernel"),
        ("user namespace", errno.EPERM, GOOD, "no reason", "outside"),
        ("user namespace", errno.EPERM, replace(GOOD, uid=0, userns_clone=0), "no reason", "outside"),
        ("name", errno.EADDRINUSE, GOOD, "runs already", "--lab"),
        ("agent", errno.EAGAIN, GOOD, "no room", "ulimit"),
        ("agent", 0, GOOD, "", ""),
        ("mounts", errno.EIO, GOOD, "", ""),
    ],
)
def test_causes_and_cures(stage: Stage, number: int, facts: Facts, why: str, do: str) -> None:
    """Each known cause has its own words; an unknown one is not guessed at."""
    advice = explain_start(Failure(stage, number, "refused"), facts)
    assert why in advice.why and do in advice.do
    if not why:
        assert advice.why == advice.do == ""


@pytest.mark.parametrize(
    ("number", "facts", "words"),
    [
        (errno.EOPNOTSUPP, GOOD, "sudo modprobe nft_masq"),
        (errno.EOPNOTSUPP, replace(GOOD, modules="other"), "restart the machine"),
        (errno.EOPNOTSUPP, replace(GOOD, modules="none"), "on the machine that runs it"),
        (errno.ENOENT, replace(GOOD, wsl=True, release="5.10.16.3-microsoft-standard-WSL2"), "wsl --update"),
        (errno.EPERM, replace(GOOD, apparmor_userns=1), "apparmor_parser"),
    ],
)
def test_what_a_kernel_lacks(number: int, facts: Facts, words: str) -> None:
    """A missing kernel feature is explained by what would bring it on this kind of machine."""
    assert words in explain_kernel(number, "nft_masq", facts).do


def test_whatever_may_be_needed_is_tried() -> None:
    """There is a trial for each need of the kernel, and no other; every need has words, and a program its package."""
    assert set(TRIALS) == {name for name, need in NEEDS.items() if need.of_kernel}
    assert all(need.title and need.used_for for need in NEEDS.values())
    assert all(need.package for need in NEEDS.values() if need.program)


@pytest.mark.parametrize(
    ("need", "number", "why", "do"),
    [
        ("vxlan", errno.EOPNOTSUPP, "vxlan is neither", "sudo modprobe vxlan"),
        ("tun", errno.EACCES, "root only", "chmod 0666"),
        ("nft-bridge", errno.EOPNOTSUPP, "CONFIG_NF_TABLES_BRIDGE", "kernel"),
        ("nft-bridge", errno.EPERM, "", ""),
        ("iptables-nat", -1, "", ""),
    ],
)
def test_a_need_that_is_not_met(need: str, number: int, why: str, do: str) -> None:
    """What would meet it is said: a module, a device file, another kernel; and nothing where a program gave no reason of the kernel's."""
    advice = explain_need(NEEDS[need], number, GOOD)
    assert why in advice.why and do in advice.do
    if not why:
        assert advice.why == advice.do == ""


def test_the_apparmor_profile_can_be_pasted() -> None:
    """It names the interpreter that runs, allows user namespaces to it alone, and is loaded by its last line."""
    text = apparmor_profile("/usr/bin/python3.12")
    assert "profile netless /usr/bin/python3.12 flags=(unconfined) {" in text
    assert "\n  userns,\n" in text
    assert text.splitlines()[-1] == "sudo apparmor_parser -r /etc/apparmor.d/netless"
    assert subprocess.run(["sh", "-n", "-c", text], check=False).returncode == 0


def test_a_report_without_a_room_has_no_inside() -> None:
    """When the second stage fails, the first is good and nothing after it is claimed either way."""
    checks = doctor.room_checks(Failure("namespaces", errno.ENOSPC, "no space"), GOOD)
    assert [check.status for check in checks] == ["ok", "ok", "failed"]
    report = doctor.conclude(checks)
    assert not report.usable and report.summary.startswith("netless cannot run a lab here")


def test_an_essential_feature_that_fails_makes_the_machine_unusable() -> None:
    """Without bridges there is no course; without VLANs there is."""
    outcomes = [Outcome("bridge", errno.EOPNOTSUPP, "Operation not supported"), Outcome("vlan", errno.EOPNOTSUPP, "no")]
    checks = doctor.need_checks(outcomes, GOOD)
    assert [check.status for check in checks] == ["failed", "missing"]
    assert not doctor.conclude(checks).usable
    assert doctor.conclude(checks[1:]).usable
    (limit,) = doctor.limit_checks(Limits(), ())
    assert limit.status == "missing"


def test_facts_are_those_of_this_machine() -> None:
    """The switches are read where the kernel shows them."""
    facts = gather()
    assert facts.uid == os.geteuid()
    assert facts.release == os.uname().release
    assert facts.max_user_namespaces == int(Path("/proc/sys/user/max_user_namespaces").read_text(encoding="ascii"))
    assert not facts.in_chroot
