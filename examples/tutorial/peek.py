"""Reads the delay at departure: the records have it, but the desk does not know it yet when it decides."""


def predict(batch):
    return ["late" if delay >= 20 else "on_time" for delay in batch["departure_delay"]]
