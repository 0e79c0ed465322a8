"""A trial, phase by phase: each takes the result of the one before it, so that none runs without what it needs.

phase        does                                                    done when store or folder say
opening      application, data, consent, the gate, leakage           a leave is counted, nothing is spent
reserving    attempt, rows, baseline, the probes that come before    the attempt is open
asking       the arms; α is spent before the first batch             it is delivered
committing   the digest of all arms, then the probes that come after it is committed, what was found is marked
judging      the order is opened, cases are built, criteria decided  the scored cases are marked
reporting    records, standards, the report under its head           the head is set, once: the attempt is closed
"""
