"""The engine ``ray``: boxes on the nodes of a cluster."""

from __future__ import annotations

import os
from importlib.util import find_spec

from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.extras import packages_of
from pilotbase.sandbox.engines import Engine, EngineKind
from pilotbase_estate.backends.ray_cluster import DISTRIBUTION, prepare, settings_of
from pilotbase_estate.backends.sessions import open_cluster


def require_ray() -> None:
    """Require that Ray is installed and reached safely, as ``PILOTBASE_RAY_ADDRESS`` and ``RAY_AUTH_TOKEN`` say.

    Raises:
        PilotbaseError: ``compute.ray_missing``.
        InputError: ``compute.ray_no_token``.
    """
    if find_spec("ray") is None:
        raise PilotbaseError("compute.ray_missing", packages=packages_of("ray", DISTRIBUTION))
    settings_of(os.environ)


def open_ray() -> Engine:
    """Return the engine; raises as `Cluster.connect` if it is a cluster of this machine's own."""
    settings = settings_of(os.environ)
    prepare(settings)
    return open_cluster(settings)


ENGINES = {"ray": EngineKind(require_ray, open_ray)}
