"""One limit on the torque, as the drive's maker ships it; plain Python."""

LIMIT_NM = 65.0


def predict(batch):
    """Return ``failure`` or ``normal`` for each workpiece."""
    return ["failure" if torque > LIMIT_NM else "normal" for torque in batch["torque"]]
