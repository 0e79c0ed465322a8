"""The software that runs here, by its bytes: base and site run the same, or the site does not run."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pilotbase
from pilotbase.compute.box.trees import digest_tree
from pilotbase.documents.site import Software
from pilotbase.trial.lab import SOFTWARE


@cache
def this_software() -> Software:
    """Return name, version and digest of the installed package."""
    package = Path(pilotbase.__file__).parent
    return Software(name=SOFTWARE, digest=digest_tree(package, wanted=lambda name: not name.endswith(".pyc")))
