"""The firewall of one node, and the one interpreter of its rules.

``rules`` is what a rule is made of, ``packet`` what is known of a packet, ``run`` the interpreter, ``translation`` what NAT makes of who is passed on: whoever wants to
know what a firewall does (the picture's gates, the judge, Why) asks that, so none can contradict another.
"""
