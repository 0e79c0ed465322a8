"""The trial: seal, rehearse, freeze, run, score, decide, report."""
