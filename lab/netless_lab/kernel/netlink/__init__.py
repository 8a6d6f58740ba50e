"""Netlink as the tutor itself speaks it, to read, to put back and to build the pretend host: one file an object, both directions in it.

``socket`` carries messages, ``attributes`` are what they are made of. Every other file knows one kind of object, and says what is in a
message about it (``decode_...``) as well as what such a message must hold (``encode_...``). What the tutor does in a learner's place goes
by pyroute2 instead (``kernel.actions``), since that is a dialect of the lessons: what is shown is what is done.

Nothing here imports more than the standard library and ``model.snapshot``: the pretend internet is built by it while the lab starts.
"""
