"""What the process that speaks to a cluster tells of what went wrong: that nobody answers, or what else it was."""

from __future__ import annotations

import pytest

pytest.importorskip("ray")

from ray.exceptions import AuthenticationError, RaySystemError, RpcError

from pilotbase.documents.errors import PilotbaseError
from pilotbase_estate.backends.backend import BackendAwayError
from pilotbase_estate.backends.ray_cluster import HostGoneError, _Driver
from pilotbase_estate.backends.ray_driver import as_driver_error


@pytest.mark.parametrize(
    "error", [ConnectionRefusedError("no"), TimeoutError(), RaySystemError("head", "gone"), RpcError("unavailable")]
)
def test_only_silence_is_called_away(error: Exception) -> None:
    assert isinstance(as_driver_error(error), BackendAwayError)


def test_whatever_else_went_wrong_is_told_by_its_type_and_its_first_words() -> None:
    for error in (ValueError("Malformed address"), KeyError("node\n\tx" * 1000), AuthenticationError("wrong token")):
        said = as_driver_error(error)
        assert not isinstance(said, BackendAwayError)
        assert said.code == "compute.driver_failed" and type(error).__name__ in said.render("en")
        assert len(said.render("en")) < 800 and "\t" not in said.render("zh")
    assert "Malformed address" in as_driver_error(ValueError("Malformed address")).render("en")
    assert isinstance(as_driver_error(HostGoneError()), HostGoneError), "what we raise ourselves stays as it is"


def test_who_asked_in_another_process_is_told_the_same() -> None:
    driver = _Driver()
    try:
        with pytest.raises(PilotbaseError) as failed:
            driver.asked("no_such_question", (), 60)
    finally:
        driver.end()
    assert failed.value.code == "compute.driver_failed"
    assert "AttributeError" in str(failed.value) and "no_such_question" in str(failed.value)
