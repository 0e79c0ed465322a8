"""A trial, phase by phase: each takes the result of the one before, so none can run without its inputs.

phase        does                                                    done when store or folder record
opening      application, data, consent, the gate, leakage           permission is counted, nothing is spent
reserving    attempt, rows, baseline, the probes that run before     the attempt is open
asking       the arms; α is spent before the first batch             it is delivered
committing   the digest of all arms, then the probes that run after  it is committed, the results are marked
             where experts judge the answers, a trial waits before this
judging      the order is revealed, cases built, criteria decided    the scored cases are marked
reporting    records, standards, the report under its head           the head is set, once: the attempt is closed
"""
