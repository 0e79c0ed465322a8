"""Run by the interpreter of frictionless' own environment: what it says of each package of a folder, as JSON.

Its name does not begin with ``frictionless_``: such modules are taken for plugins, and run twice.
"""

import json
import sys
from pathlib import Path

from frictionless import FrictionlessException, Package


def verdict(path):
    try:
        Package.from_descriptor(json.loads(path.read_text("utf-8")))
    except FrictionlessException as error:
        return [reason.note for reason in error.reasons] or [str(error)]
    return []


json.dump({path.stem: verdict(path) for path in sorted(Path(sys.argv[1]).glob("*.json"))}, sys.stdout)
