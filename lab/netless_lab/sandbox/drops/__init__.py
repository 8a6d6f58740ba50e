"""The kernel's own word for why it threw a packet away (tracepoint skb:kfree_skb), for one lab and no other packets of the machine.

bpf(2) is refused in a user namespace, even to its root, and a lab's agent lives in one. So whoever starts the lab loads the program when
he is really root, aims it at the lab's user namespace, and hands over two open files: the ring it writes to, which needs no right to be read
(``kernel/evidence/drops.py``), to the agent, and the link that keeps it attached to the lab's keeper: the program is gone when the lab is.

    btf       where the fields of the kernel's structures are, from its own type information
    program   the program, instruction by instruction: no compiler, no library
    load      load, attach, aim
"""
