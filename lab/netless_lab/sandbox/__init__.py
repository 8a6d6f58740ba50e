"""The room a lab lives in: one pretend host in namespaces of its own, how it starts, how others enter it, and how it ends.

``start`` makes a process chain (``boot``) that ends in the agent, PID 1 of the room:

    client ── keeper ─ outside, as long as the room lives: its name, who may come in, what is to be kept (``keeper``)
               └─ P0 ─── imports the agent, then enters what P4 has made, with a pid namespace of the room's
                   ├─ P4 meanwhile: user namespace A (maps root to the caller) and its mount namespace: the machine's root made
                   │   │ read-only, private /tmp /run /dev /etc (``builder``, ``rootfs``); there it makes ahead what the agent will need
                   │   ├─ P1 for a moment: user namespace B inside A, with the room's net, uts and ipc namespaces
                   │   └─ P3 for a moment: mounts the room's /proc and /sys, which need its pid and net namespaces
                   └─ P2, PID 1: settles in, waits for the root file system, copies the mounts into B, runs the agent

Two user namespaces, because one is not enough. The caller's own uid is root inside; when the caller is the machine's root, its uid
is 0 to the kernel as well, and ``/proc/sys/kernel/*``, ``/proc/sysrq-trigger`` and most of ``/sys`` ask for nothing but uid 0 to be
written. And whoever made a mount read-only may make it writable again. A mount namespace that is copied into a *less privileged*
user namespace has all its mounts locked: what is read-only stays so, and nothing can be taken off to see what lies under it
(mount_namespaces(7), "Restrictions on mount namespaces"). So the root file system is set up in A and the learner lives in B.

The socket by which others find the lab is an abstract one (unix(7)), and its log a memory file: nothing is written outside but what the
keeper keeps. When PID 1 ends, for whatever reason, the kernel ends every process of the room, and with the last of them its mounts,
namespaces and sockets; and the keeper ends.

start, find           from outside: begin a lab, list and connect
sealed                the program that a lab is run from, where its own file could be written from inside
enter, relay          what who becomes part of a node starts (``netless_lab.join``): the process that enters, and the terminal it carries
way, spaces           what is said and handed over to one who enters: a node's namespaces as open files
boot, builder         the way into the room, and beside it who builds it
rootfs, staged        what stands in it, and what only root can lay ready for it
keeper, callers       the process that stays outside, and the agent's side of the lines to it
lines                 what is said on the lines between those two
seccomp               what nobody in it may ask the kernel for
limits                how many processes a room may have, and how to be rid of too many
container, reaper     inside: processes that are nodes, and the ends of all processes
internet, nameserver, website, tune   inside: the pretend internet and the settings that make runs reproducible
doctor, trial, facts, explain   what this machine can, tried for real, and what to do about what it cannot
"""
