"""The rungs, one file for each kind of place where a packet can be lost. They know nothing of each other: ``ladder`` says who is asked when."""
