"""The chance of speech by how loud a second is; without numpy a sound is (shape, type, bytes)."""

from array import array

LOUD = 800


def predict(batch):
    return [min(level(array("h", sound)) / (2 * LOUD), 1.0) for _, _, sound in batch["sound"]]


def level(samples):
    return sum(map(abs, samples)) / len(samples)
