"""One person at one lab: the conversation with it, and what is known from it. Nothing here draws, and a command can have one as well as a screen."""
