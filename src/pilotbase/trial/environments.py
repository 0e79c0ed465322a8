"""What an application's box holds beside its folder: its locked requirements, its image, or what loads its model."""

from __future__ import annotations

from pilotbase.catalogue.applications import Submission
from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.extras import packages_of
from pilotbase.sandbox.adapters.registry import Adapter, adapter_of
from pilotbase.sandbox.box.environments import (
    INSTALLED,
    Environment,
    build_environment,
    image_environment,
    installed_environment,
    missing_packages,
)
from pilotbase.sandbox.box.settings import BoxSettings
from pilotbase.trial.lab import TrialRuntime


def environment_of(lab: TrialRuntime, submission: Submission, uid: int) -> Environment:
    """Return the environment of an application, built by a box of ``uid`` if it is not there; raises as running does.

    Raises:
        InputError: the lock is refused, or something in it cannot be had as a wheel of that hash; the image is refused.
        PilotbaseError: what loads its model is not installed here.
    """
    application = submission.application
    adapter, cache = adapter_of(application.runtime), lab.folder("environments", application.supplier.organisation)
    if adapter is not None and adapter.needs:
        return _loading_environment(lab, adapter)
    if application.image is not None:
        return image_environment(submission.folder / application.image, cache, BoxSettings(uid=uid))
    return build_environment(submission.lock, application.requirements, cache, BoxSettings(uid=uid))


def _loading_environment(lab: TrialRuntime, adapter: Adapter) -> Environment:
    missing = missing_packages(adapter.needs)
    if missing:
        names = ", ".join(missing)
        packages = packages_of(adapter.extra)
        raise PilotbaseError("compute.runtime_missing", runtime=adapter.runtime, lacking=names, packages=packages)
    return installed_environment(adapter.needs, lab.folder("environments", INSTALLED))
