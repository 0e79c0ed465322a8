"""A trial's flows: from folders to report and certificate, boards, comparison, and replay of decisions."""
