"""All that is true of a netless lab without a screen: model, primitives, course, kernel, sandbox, session and agent.

And what those outside need: ``address`` and ``labs`` to find one, ``join`` to enter a node, ``client`` to ask.
"""
