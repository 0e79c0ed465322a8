"""Points as an old branch manager gave them: youth counts most; plain Python."""

OVERDRAWN = "... < 0 DM"


def predict(batch):
    """Return ``default`` or ``repaid`` for each credit."""
    columns = (batch["age"], batch["checking_account"], batch["duration"])
    return ["default" if points(*row) >= 2 else "repaid" for row in zip(*columns, strict=True)]


def points(age, account, months):
    """Return two points for an age under 35, one for an overdrawn account, one for more than two years."""
    return 2 * (age < 35) + (account == OVERDRAWN) + (months > 24)
