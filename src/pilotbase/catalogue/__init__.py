"""The catalogue: everything a base has taken in, one immutable version at a time, and how each record moves.

Contains versions and records, the engine that takes their steps, threads about them, and figures over all of them.
"""
