"""Boxes in which applications of every form are loaded, with environments that are made once a folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pilotbase.documents.application import Form
from pilotbase.documents.contract import Contract
from pilotbase.documents.limits import Limits
from pilotbase.sandbox.adapters.registry import adapter_of
from pilotbase.sandbox.box.environments import INSTALLED, build_environment, image_environment, installed_environment
from pilotbase.sandbox.box.settings import BoxSettings, LogPolicy
from pilotbase.sandbox.box.warm_worker import WarmWorker, start_worker

LIMITS = Limits(memory_bytes=512 << 20, batch_seconds=60, load_seconds=60)
SETTINGS = BoxSettings(limits=LIMITS, logs=LogPolicy.FULL)


def start(place: Path, folder: Path, form: Form, contract: Contract, limits: Limits = LIMITS) -> WarmWorker:
    """Return a worker of an application as a trial would start it."""
    adapter = adapter_of(form.runtime)
    needs = adapter.needs if adapter else ()
    cache = place / INSTALLED
    cache.mkdir(exist_ok=True)
    if form.image is not None:
        environment = image_environment(folder / form.image, cache)
    else:
        environment = installed_environment(needs, cache) if needs else build_environment(b"", "lock", cache)
    return start_worker(folder, form, contract, environment, replace(SETTINGS, limits=limits))
