"""The joins: flows across stages as plain functions, called alike by command line, hub, notebook and queued jobs.

Only `jobs` and the rounds of `reactions` and `services` need a process of their own, the worker; the rest runs in
whoever calls it.
"""
