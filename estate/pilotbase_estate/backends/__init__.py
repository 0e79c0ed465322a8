"""Backends: where admitted jobs run. They place and run jobs; who may run, when and at whose cost is decided before.

backend.ComputeBackend           capacity, start, poll, stop, logs, output, forget; idempotent on job and attempt
local.LocalBackend(folder)       processes of this machine, one for each attempt, that outlive their starter
cluster.RayBackend(folder, …)       the same on every node of a Ray cluster (the extra ``ray``)
"""
