"""One lab with one learner: the only place that puts the kernel, the course and the progress together.

``stage`` is what every verb needs, and ``views`` what everybody is told of it; a ``mode`` (``lesson``, ``play``; a drill in its own room) says
what judging and help mean; the verbs are functions over the stage (``moving``, ``looking``) that ``session`` hands requests to. ``world`` holds
the nodes and changes them, with what there is to see of them (``sight``) and how they were before anything was done (``origin``); ``judging``
sends probes and asks the judge, who is told what ``case`` knows; ``watch`` judges again after changes; ``pages`` words the state for clients.
"""
