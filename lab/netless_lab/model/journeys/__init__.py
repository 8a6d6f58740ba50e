"""Frames become packets, packets become journeys: the pure half of following traffic. ``kernel/capture`` brings the frames.

    Frame --decode--> Packet --converse--> conversations --assemble--> Journey
"""
