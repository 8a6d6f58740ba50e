"""All that is true of a netless lab without a screen: model, primitives, course, kernel, sandbox, session and agent."""
