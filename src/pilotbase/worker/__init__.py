"""Flows across stages as plain functions. Command line, hub, notebook and queued jobs all call the same ones.

Only `jobs` and the rounds of `reactions` and `services` need a process of their own, the worker; the rest runs in the
caller's process.
"""
