"""The temperature curve in the control room: a straight line drawn at commissioning; plain Python."""

OUTPUT_AT_15_DEGREES = 464.5
LOSS_PER_DEGREE = 2.17


def predict(batch):
    """Return the net output of each hour, MW, one number a row."""
    return [OUTPUT_AT_15_DEGREES - LOSS_PER_DEGREE * (value - 15.0) for value in batch["ambient_temperature"]]
