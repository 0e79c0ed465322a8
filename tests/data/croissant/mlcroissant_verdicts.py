"""Run by the interpreter of mlcroissant's own environment: what it says of each file of a folder, as JSON.

Name of the file → null where it accepts it, else what it says.
"""

import json
import logging
import sys
import warnings
from pathlib import Path

import mlcroissant

warnings.simplefilter("ignore")
logging.disable(logging.CRITICAL)


def verdict(path):
    try:
        mlcroissant.Dataset(jsonld=str(path))
    except Exception as error:  # noqa: BLE001 - whatever it says is its verdict
        return f"{type(error).__name__}: {error}"[:2000]
    return None


def kept(path):
    """Return what mlcroissant itself writes of a file that it accepts."""
    return mlcroissant.Dataset(jsonld=str(path)).metadata.to_json()


paths = sorted(Path(sys.argv[1]).glob("*.json"))
found = {path.stem: verdict(path) for path in paths}
wanted = [path for path in paths if path.stem in sys.argv[2:]]
json.dump({"verdicts": found, "kept": {path.stem: kept(path) for path in wanted}}, sys.stdout, default=str)
