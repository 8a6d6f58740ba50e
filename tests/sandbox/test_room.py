"""What a room is like inside: the machine can be read and not written, and everything a learner types works."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.checkout import as_here
from helpers.sandboxed import sandboxed, sandboxed_as_ordinary, sh
from netless_lab.kernel import syscalls as sc
from netless_lab.sandbox import rootfs
from netless_lab.sandbox.limits import Limits, kernel_version, means_for
from netless_lab.sandbox.plan import Plan
from sandbox.helpers.alone import Machine, alone, alone_as_root, remains
from sandbox.helpers.rooms import ask, room

WRITES = """
touch /x
touch /usr/x
touch /home/x
touch {repository}/x
echo 1 > /proc/sys/kernel/panic
echo 1 > /proc/sys/vm/drop_caches
echo h > /proc/sysrq-trigger
echo 0 > /proc/irq/default_smp_affinity
echo never > /sys/kernel/mm/transparent_hugepage/enabled
echo 1 > /sys/module/printk/parameters/time
mount -o remount,rw /
mount -o remount,rw,bind /
mount -o remount,rw /sys
mount -o remount,rw,bind /proc/sys
umount /proc/sys
umount -l /proc
umount -l /sys
umount -l /etc
umount -l /run
mount -t sysfs s /mnt && echo x > /mnt/kernel/mm/transparent_hugepage/enabled
mount --bind / /mnt && touch /mnt/x
mknod /tmp/kmem c 1 2
mount -t debugfs d /mnt
unshare -m sh -c 'mount -o remount,rw,bind / && touch /x'
unshare -Urm sh -c 'mount -o remount,rw,bind / && touch /x'
nsenter -t 1 -m touch /x
python3 -c 'import ctypes as c; exit(c.CDLL(None).syscall(442, -100, b"/", 0x8000, (c.c_uint64 * 4)(0, 1, 0, 0), 32) != 0)'
"""
"""Each of them would change the machine, or is a step on the way there; each must fail, as root too. (442 is mount_setattr(2).)"""


@alone
def test_nothing_of_the_machine_can_be_written_from_inside() -> None:
    """No write, remount or unmount gets past the room, whoever started it: the machine's root is root inside as well."""
    attempts = WRITES.format(repository=Path(__file__).parent).strip().splitlines()
    with room() as made:
        succeeded = [line for line in attempts if made.code(f"{line}\n[ $? = 0 ] && exit 0; exit 1") == 0]
    assert succeeded == []


@alone
def test_no_file_of_the_machine_in_proc_may_be_written() -> None:
    """Files such as sysrq-trigger (0200) and mtrr (0644) obey whoever is root: find(1) asks the kernel (access(2)) which may be written here."""
    with room() as made:
        assert made.sh("find /proc -maxdepth 1 -type f -perm /222 -writable") == ""
        assert made.sh("find /proc/sys/net/ipv4/ip_forward -writable") != "", "the room's own network may"


@alone
def test_the_capabilities_inside_do_not_reach_out() -> None:
    """Root inside sees only the room's processes and cannot name or signal any other."""
    with room() as made:
        with subprocess.Popen(["sleep", "1000"]) as stranger:
            listed = made.sh("ps -e -o comm=").split()
            stranger.kill()
        assert "ps" in listed and "sleep" not in listed, listed
        assert made.sh("ps -o comm= 1").strip() == "netless-agent"
        assert made.sh("cat /proc/self/uid_map").split()[2] == "1"


@alone
def test_what_is_written_inside_is_seen_nowhere_else() -> None:
    """/tmp, /var/tmp, /run, /dev/shm and /etc are the room's own, writable, and gone with it."""
    before = Machine.now()
    with room() as made:
        for folder in ("/tmp", "/var/tmp", "/run", "/dev/shm", "/etc", "/run/lab", "/run/netns", "/etc/netns"):
            made.sh(f"echo inside > {folder}/netless-test-file && cat {folder}/netless-test-file")
            assert not Path(folder, "netless-test-file").exists()
        assert made.sh("ls -A /var/tmp").split() == ["netless-test-file"]
    assert remains(of=before) == []


@alone
def test_the_files_that_make_a_host() -> None:
    """Host name, resolver and hosts are the room's: no name server is known until the lesson sets one, and it can be set."""
    with room() as made:
        assert made.sh("hostname; cat /etc/hostname").split() == ["host", "host"]
        assert "nameserver" not in made.sh("cat /etc/resolv.conf")
        made.sh("echo nameserver 192.0.2.53 > /etc/resolv.conf; mkdir -p /etc/netns/c1; echo x > /etc/netns/c1/resolv.conf")
        assert made.sh("cat /etc/resolv.conf") == "nameserver 192.0.2.53\n"
        assert "localhost" in made.sh("getent hosts 127.0.0.1")
        assert made.sh("head -1 /etc/passwd").startswith("root:")
        assert "192.0.2.53" not in Path("/etc/resolv.conf").read_text(encoding="utf-8")


@alone
def test_namespaces_can_be_made_named_and_left_as_in_the_post() -> None:
    """``ip netns``, the symbolic link into /proc, and a /sys of its own in each of them."""
    with room() as made:
        made.sh("ip netns add one; ip -n one link add br7 type bridge; ip netns exec one brctl show | grep br7")
        assert sorted(made.sh("ip netns exec one ls /sys/class/net").split()) == ["br7", "lo"]
        assert made.sh("ls /sys/class/net").split() == ["lo"]
        made.sh(
            "unshare -n sleep 100 >/dev/null 2>&1 & until grep -q sleep /proc/$!/comm; do sleep 0.01; done; "
            "mkdir -p /var/run/netns; ln -s /proc/$!/ns/net /var/run/netns/$!"
        )
        made.sh("ip netns exec $(ls /var/run/netns | grep -v one) ip link show lo")
        made.sh("ip netns del one; ! ip netns exec one true")
        made.sh("echo 1 > /proc/sys/net/ipv4/ip_forward; sysctl -n net.ipv4.ip_forward | grep -x 1")


@alone
def test_pages_from_elsewhere_work_as_they_stand() -> None:
    """``sudo`` runs what follows, and ``tcpdump`` does not try to become a user that does not exist here."""
    with room() as made:
        assert made.sh("sudo -E FOO=bar sh -c 'id -u; echo $FOO'").split() == ["0", "bar"]
        made.sh(
            "ip link set lo up; timeout 20 tcpdump -c1 -ni lo icmp >/tmp/seen 2>/tmp/err & "
            "until grep -q ^listening /tmp/err; do sleep 0.01; done; ping -c1 127.0.0.1 >/dev/null; wait $!"
        )
        assert "ICMP echo request" in made.sh("cat /tmp/seen; cat /tmp/err")


@alone
def test_sudo_takes_the_options_that_pages_give_it() -> None:
    """A user, a group and the like are no command, however they are written; a shell is one; there is no other user than root, and that is said."""
    with room() as made:
        for options in ("-u root", "-uroot", "-Eu root", "-u '#0'", "--user=root", "--user root", "-g root -n", "-i", "-H -s", "-E -p '' --", "-nC 3"):
            assert made.sh(f"sudo {options} id -u") == "0\n", options
        assert made.sh("echo 'echo in $0' | SHELL=/bin/sh sudo -i") == "in /bin/sh\n"
        assert made.sh("sudo A=1 B=2 sh -c 'echo $A$B'; sudo -k; sudo -v") == "12\n"
        assert made.sh("sudo -u nobody id 2>&1; sudo 2>&1; true").splitlines() == ["sudo: there is no user nobody in a lab, only root", "usage: sudo COMMAND"]


@alone
def test_devices_and_terminals() -> None:
    """The usual devices work; a program inside can open a terminal of the room's own."""
    with room() as made:
        made.sh("echo x > /dev/null; head -c4 /dev/urandom | wc -c | grep -x 4; head -c2 /dev/zero | od -An -c | grep -q '0'")
        assert made.sh("script -qec tty /dev/null").strip() == "/dev/pts/0"
        assert made.code("ls /dev/vda /dev/sda /dev/mem /dev/kmsg 2>/dev/null | grep .") != 0


@alone
def test_python_is_found_even_below_a_directory_that_the_room_covers() -> None:
    """A checkout in /tmp, which a room hides, stays visible inside, read-only, under its own path."""
    program = "\n".join(
        (
            "import os, sys, time",
            "from netless_lab.sandbox.start import start",
            "started = start('hidden', 'agent_in_tmp:main', argument='x')",
            "print(started.log())",
            "os.kill(started.pid, 9)",
        )
    )
    module = Path("/tmp/some where/code/agent_in_tmp.py")
    module.parent.mkdir(parents=True)
    module.write_text(
        "import os, sys, time\n"
        "def main(room):\n"
        "    import agent_in_tmp_later\n"
        "    try: open(agent_in_tmp_later.__file__, 'a'); verdict = 'writable'\n"
        "    except OSError as error: verdict = error.strerror\n"
        "    print(verdict, *os.listdir('/tmp'), file=sys.stderr, flush=True)\n"
        "    room.ready()\n"
        "    time.sleep(1000)\n",
        encoding="utf-8",
    )
    module.with_name("agent_in_tmp_later.py").write_text("", encoding="utf-8")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=as_here(module.parent), check=False)
    assert done.stdout.split(" ", 4)[:3] == ["Read-only", "file", "system"] and "some where" in done.stdout, done.stdout + done.stderr


@alone
def test_the_limit_is_said() -> None:
    """A room says how many processes it may have and by what, and pid_max inside is that number, outside another."""
    with room() as made:
        assert ask("test", {"facts": 1})["limits"] == "at most 1500 processes (RLIMIT_NPROC, and pid_max of its own pid namespace)"
        assert made.sh("cat /proc/sys/kernel/pid_max").strip() == "1500"
        assert Path("/proc/sys/kernel/pid_max").read_text(encoding="ascii").strip() != "1500"


@pytest.mark.parametrize(
    ("release", "means"),
    [
        ("6.18.44", "pid_max"),
        ("6.14.0-rc1", "pid_max"),
        ("6.13.9-generic", "nproc"),
        ("5.14.0", "nproc"),
        ("5.13.19", "none"),
        ("5.15.153.1-microsoft-standard-WSL2", "nproc"),
        ("nonsense", "none"),
    ],
)
def test_no_kernel_is_asked_for_a_limit_it_has_only_globally(release: str, means: str) -> None:
    """``pid_max`` is the whole machine's before Linux 6.14, and must not be touched there."""
    assert means_for(release) == means
    assert kernel_version("6.1-amd64") == (6, 1)
    assert "no limit" in str(Limits())


@sandboxed_as_ordinary
def test_the_other_limit_holds_too() -> None:
    """RLIMIT_NPROC bounds the processes of an ordinary user's namespace, even though he is root in it."""
    sc.limit_processes(40)
    children: list[int] = []
    with pytest.raises(BlockingIOError) as refused:
        while len(children) < 60:
            pid = os.fork()
            if pid == 0:
                os.execv("/bin/sleep", ["sleep", "100"])
            children.append(pid)
    assert refused.value.errno == errno.EAGAIN
    assert len(children) + 2 == 40, "this process and the one that made the namespace count too, and no other of this user does"
    assert "40" in str(Limits(40, "nproc"))


@sandboxed
def test_without_an_overlay_etc_is_a_directory_of_links() -> None:
    """Where the kernel has no overlay for user namespaces, /etc is still complete, writable, and seen nowhere else."""
    names = sorted(os.listdir("/etc"))
    passwd = Path("/etc/passwd").read_text(encoding="utf-8")
    sc.unshare(sc.CLONE_NEWNS)
    rootfs.link_etc("host")
    assert set(os.listdir("/etc")) >= set(names)
    assert Path("/etc/passwd").read_text(encoding="utf-8") == passwd
    assert Path("/etc/hostname").read_text(encoding="utf-8") == "host\n"
    sh("echo nameserver 192.0.2.1 > /etc/resolv.conf; touch /etc/new; rm /etc/passwd; test -s /etc/.machine/passwd")


@sandboxed
def test_before_linux_5_12_every_mount_is_made_read_only_one_by_one() -> None:
    """The fallback reaches every mount, however odd its path and flags."""
    odd = "/tmp/a b\\c"
    os.mkdir(odd)
    sh(f"mount -t tmpfs -o nosuid,noatime odd '{odd}'; mkdir /tmp/noexec; mount -t tmpfs -o noexec,nodev x /tmp/noexec")
    sc.unshare(sc.CLONE_NEWNS)
    rootfs.remount_read_only_one_by_one()
    for folder in ("/", "/tmp", "/run", odd, "/tmp/noexec", "/etc"):
        with pytest.raises(OSError) as raised:
            Path(folder, "x").touch()
        assert raised.value.errno in (errno.EROFS, errno.EACCES), folder
    lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    (line,) = [line for line in lines if rootfs.unescape(line.split()[4]) == odd]
    assert {"ro", "nosuid", "noatime"} <= set(line.split()[5].split(","))


def test_a_plan_survives_the_pipe() -> None:
    """What a client writes is what the room's first process reads."""
    plan = Plan("lab", "a:b", ("/x", "/y z"), ("/tmp/q",), 7, argument='{"a": "ü"}', passed=1, held=(9,), ahead="c:d")
    assert Plan.from_json(plan.to_json()) == plan


@alone
def test_a_lab_inside_a_lab() -> None:
    """Rooms nest, root's too: what is started inside is a lab like any other, and nothing of the outer one is harmed by it."""
    before = Machine.now()
    with room("outer") as made:
        path = ":".join(entry for entry in sys.path if entry)
        python = f"cd /run/lab; env -u NETLESS_LAB PYTHONPATH='{path}' '{sys.executable}' -c"
        begin = "from netless_lab.sandbox.start import start; start('inner', 'sandbox.helpers.agent:main')"
        look = "from sandbox.helpers.rooms import ask; print(ask('inner', {'sh': 'echo this is $(hostname)/; touch /x; id -u'}))"
        made.sh(f'{python} "{begin}"')
        shown = made.sh(f'{python} "{look}"')
        assert "this is host/" in shown and "Read-only" in shown
        assert made.sh("hostname") == "host\n"
    assert remains(of=before) == []


@pytest.mark.parametrize("covered", [False, True], ids=["on the machine's own /run", "on a /run that is a mount"])
@alone_as_root
def test_a_machine_that_has_names_of_its_own(covered: bool) -> None:
    """Where somebody has given names to namespaces of the machine, which are mounts, a lab starts with none, gives its own, and leaves those as they are."""
    if covered:
        subprocess.run(["mount", "--bind", "/run", "/run"], check=True)
    subprocess.run(["ip", "netns", "add", "outside"], check=True)
    inode = os.stat("/run/netns/outside").st_ino
    with room(containers=["c1"]) as made:
        assert made.sh("ls /run/netns") == ""
        made.sh("ip netns add inside; ip netns exec inside true; ip netns delete inside")
    assert os.stat("/run/netns/outside").st_ino == inode
    subprocess.run(["ip", "netns", "exec", "outside", "true"], check=True)
