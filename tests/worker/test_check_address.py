"""The address that a report leads to: of the hub that is configured, and of nothing else."""

import pytest

from pilotbase.worker.trials.folder import check_address
from tests.catalogue.records_for_tests import certificate, plan, report, scenario, version

CERTIFICATE = certificate(report(plan(scenario(), version()))).certificate
PATH = f"/certificates/{CERTIFICATE.serial.partition(':')[2]}/"


@pytest.mark.parametrize(
    ("url", "address"),
    [
        (None, None),
        ("", None),
        ("javascript:alert(1)", None),
        ("hub.example", None),
        ("https://hub.example", f"https://hub.example{PATH}"),
        ("https://hub.example/", f"https://hub.example{PATH}"),
    ],
)
def test_only_a_hub_that_is_configured_is_named(url, address, monkeypatch):
    monkeypatch.delenv("PILOTBASE_HUB_URL", raising=False)
    if url is not None:
        monkeypatch.setenv("PILOTBASE_HUB_URL", url)
    assert check_address(CERTIFICATE) == address
