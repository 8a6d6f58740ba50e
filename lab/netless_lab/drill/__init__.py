"""Something is broken on purpose: what a fault is, how it goes in and comes out, and how the learner's search for it is judged."""
