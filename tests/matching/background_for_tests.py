"""The means of the neutral texts in ``labelled/background.txt``; as a program: write them into the package."""

from collections import defaultdict
from pathlib import Path

import numpy as np

from pilotbase.matching import meaning

TEXTS = Path(__file__).parent / "labelled" / "background.txt"
MEANS = Path(meaning.__file__).with_name("background.npy")


def texts():
    """Return (kind, language) → the texts below its heading."""
    found, group = defaultdict(list), None
    for line in TEXTS.read_text("utf-8").splitlines():
        if tuple(line.split()) in meaning.GROUPS:
            group = tuple(line.split())
        elif not line.startswith("#"):
            found[group].append(line)
    return found


def means():
    """Return one row per group, float32."""
    embed, said = meaning.open_model().embed, texts()
    rows = [np.mean([embed(kind, one) for one in said[kind, language]], axis=0) for kind, language in meaning.GROUPS]
    return np.array(rows, dtype=np.float32)


if __name__ == "__main__":
    np.save(MEANS, means())
