"""Keys from the lower tone alone: always the middle one of a row; without numpy a sound is (shape, type, bytes)."""

import math
from array import array

RATE, FRAME = 8000, 80
LOW = (697, 770, 852, 941)
KEYS = ("123", "456", "789", "*0#")


def predict(batch):
    return [heard(array("h", sound)) for _, _, sound in batch["sound"]]


def heard(samples):
    return " ".join(key(samples[start:end]) for start, end in loud(samples))


def loud(samples):
    """Return where at least 20 ms are louder than a third of the loudest 10 ms: pairs (start, end)."""
    starts = range(0, len(samples) - FRAME + 1, FRAME // 2)
    levels = [sum(map(abs, samples[start : start + FRAME])) for start in starts]
    limit, stretches, begun = max(levels) / 3, [], None
    for start, level in zip([*starts, len(samples)], [*levels, 0], strict=True):
        if level > limit and begun is None:
            begun = start
        elif level <= limit and begun is not None:
            if start - begun >= 2 * FRAME:
                stretches.append((begun, start + FRAME // 2))
            begun = None
    return stretches


def key(samples):
    low = max(LOW, key=lambda tone: power(samples, tone))
    return KEYS[LOW.index(low)][1]


def power(samples, tone):
    """Return how much of a tone is in ``samples`` (Goertzel, 1958)."""
    turn = 2 * math.cos(2 * math.pi * tone / RATE)
    last, before = 0.0, 0.0
    for sample in samples:
        last, before = sample + turn * last - before, last
    return last * last + before * before - turn * last * before
