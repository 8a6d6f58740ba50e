"""Why did the packet die? Evidence in, two sentences out: what was seen, and the likely cause with the facts it rests on. Pure.

``model/evidence`` says what evidence is, ``watching/gather`` gathers it. ``case`` is one packet with its family, ``last_seen`` finds the place where
it was last seen, ``ladder`` asks the rungs that this place picks. A rung answers only with facts; the words of its cause, and the usual command that
mends it, come from ``catalogue`` by way of ``cause``, which reckons from the kinds of the facts how certain it is. When none answers, the cause is
unknown, and that is said. What a firewall does with a packet is asked of ``model/netfilter`` alone: ``packets`` says which packet comes to which hook.
``transit`` follows a packet by a snapshot alone, for whoever has no evidence.
"""
