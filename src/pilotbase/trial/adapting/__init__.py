"""Adaptation: the same application in other environments, held against what it answered in the trial's own.

cells    one cell: whether this machine is it, its answers, how far they lie apart
kept     all cells of an attempt, each run once
"""
