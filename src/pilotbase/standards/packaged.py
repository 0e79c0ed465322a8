"""The profiles that come with the software: one YAML file each."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from types import MappingProxyType

from pilotbase.documents.loading import build_document, load_document
from pilotbase.documents.standard_profile import StandardProfile
from pilotbase.documents.yaml_reader import parse_yaml


@cache
def packaged_profiles() -> Mapping[str, StandardProfile]:
    """Return name → profile, sorted by name."""
    folder = resources.files("pilotbase.standards") / "profiles"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".yaml")), key=lambda file: file.name)
    read = [build_document(StandardProfile, parse_yaml(file.read_bytes(), file.name)) for file in files]
    return MappingProxyType({profile.name: profile for profile in read})


def read_profile(path: Path) -> StandardProfile:
    """Return the profile in a file; raises `InputError` with every problem."""
    return load_document(StandardProfile, path)
