"""The catalogue: what a base has taken in, one immutable version at a time, and how each record moves.

Versions and records, the engine that takes their steps, threads about them, and figures over all of them.
"""
