"""Profiles of standards by name or file, with a base or without one."""

from __future__ import annotations

from pathlib import Path

from pilotbase.documents.standards import StandardProfile
from pilotbase.standards.composing import packaged_profiles, read_profile
from pilotbase.trial.standards import check_profile, find_profile, own_profiles
from pilotbase.worker.trials.scenario_standing import base_if_any


def known_profiles() -> list[StandardProfile]:
    """Return the profiles of the software, then the base's own where there is a base."""
    base = base_if_any()
    return [*packaged_profiles().values(), *(own_profiles(base.lab.view) if base is not None else [])]


def checked_profile(which: str) -> StandardProfile:
    """Return the profile of that name or in that file, all that it names being known; raises `InputError`."""
    base = base_if_any()
    view = base.lab.view if base is not None else None
    profile = read_profile(Path(which)) if Path(which).is_file() else find_profile(view, which)
    check_profile(profile, lambda name: profile if name == profile.name else find_profile(view, name))
    return profile
