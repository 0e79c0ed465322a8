"""The small scenario and applications of the trial's tests."""

from tests.trial.conftest import base, home, write_application, write_scenario

__all__ = ["base", "home", "write_application", "write_scenario"]
