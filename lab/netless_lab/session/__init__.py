"""Run, check, back, goto, reset: the only place that puts the kernel, the course and the progress together.

``world`` holds the nodes and changes them; ``live`` follows the kernel and tells; ``judging`` sends probes and asks the judge;
``session`` holds the verbs; ``pages`` words the state for clients; ``proof`` runs lint's procedure.
"""
