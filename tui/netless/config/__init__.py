"""The settings of a person: what can be set, in which file, and which of option, environment, file and default says it.

``schema`` and ``reading`` are pure; ``place`` knows where the file lies. Whatever is asked without a file costs one look whether there is one.
"""
