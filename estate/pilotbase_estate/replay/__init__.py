"""Replay: how a policy would have handled a recorded trace, before it becomes the policy of a pool.

traces.read_trace(jobs, nodes, reading) -> Trace       raises InputError with every broken row; write_trace
reporting.replay(trace, policies, setting) -> PoolReplay               replay_inflated: nothing ends
page.render_replay(replay, language) -> str            one HTML file in both languages

policies.scheduler_of(policy, trace, setting)          by name: schedulers.{Fifo, Drf}, sharing's own in `shared`
simulating.simulate(trace, scheduler) -> SimulatedRun        reporting.play: with fragments
simulating.policy_replay(policy, course, …)            utilisation, fairness, waits, fragmentation
"""
