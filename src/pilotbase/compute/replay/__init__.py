"""Replay: what a policy would have made of a recorded trace, before it is made the policy of a pool.

traces.read_trace(jobs, nodes, options) -> Trace       raises InputError with every broken row
simulating.simulate(trace, scheduler) -> Course        schedulers.{Fifo, Drf}; sharing's own in `shared`
inflating.inflate(trace, placement, generator, marks)  how much of the GPUs is allocated when so much was asked for
figures.figures_of(course) -> PolicyFigures            utilisation, fairness, waits, fragmentation
"""
