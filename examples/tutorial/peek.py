"""Looks at the delay at departure, which the records have and the desk does not when it decides."""


def predict(batch):
    return ["late" if delay >= 20 else "on_time" for delay in batch["departure_delay"]]
