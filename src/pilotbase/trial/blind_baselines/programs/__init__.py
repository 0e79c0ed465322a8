"""The programs, one file each. Every module here that defines ``PROGRAM`` is discovered; nothing else lists them."""

from __future__ import annotations

from pilotbase.documents.plugins import loaded
from pilotbase.trial.blind_baselines.program import BlindProgram

PROGRAMS: tuple[BlindProgram, ...] = tuple(module.PROGRAM for module in loaded("trial.blind_baselines.programs"))
"""All programs of the files here, by name."""
