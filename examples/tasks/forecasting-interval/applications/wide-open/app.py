"""Anything from nothing to twice the usual."""


def predict(batch):
    return [(0.0, 1000.0)] * batch.rows
