"""The toy world is too small for the gates of a world, which have tests of their own."""

import pytest


@pytest.fixture(autouse=True)
def _gates(monkeypatch):
    monkeypatch.setattr("pilotbase.trial.cases_to_seal.require_sound", lambda lab, kept: None)
