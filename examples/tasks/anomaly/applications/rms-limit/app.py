"""The chance of a fault as vibration against twice the usual; a missing reading abstains."""


def predict(batch):
    return [min(value / 9, 1.0) if value == value else None for value in batch["rms"]]
