"""A certified endpoint in service: asked by the very worker of its trial, until its certificate lapses."""

import json
import urllib.request

import pytest

from pilotbase.certificate.status import IssuedCertificate
from pilotbase.gateway.configuration import GatewayConfiguration
from pilotbase.sandbox.endpoints.operator import ALLOW
from pilotbase.worker.trials.canary_rounds import canary_round
from pilotbase.worker.trials.proving import prove
from tests.gateway.gateways_for_tests import Place, listening, opened
from tests.sandbox.endpoints.stubs_for_tests import Stub, serving, tabular
from tests.trial.conftest import writing_scenario
from tests.trial.endpoints_for_tests import alarm, may_leave, writing_endpoint


def ask(live, key, service, pressures):
    inputs = [
        {"name": "pressure", "datatype": "FP64", "shape": [len(pressures)], "data": pressures},
        {"name": "age", "datatype": "INT64", "shape": [len(pressures)], "data": [3] * len(pressures)},
        {"name": "site", "datatype": "BYTES", "shape": [len(pressures)], "data": ["north"] * len(pressures)},
    ]
    request = urllib.request.Request(
        f"{live.url}/v2/models/{service}/infer",
        json.dumps({"inputs": inputs}).encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())["outputs"][0]["data"] if answer.status == 200 else None


@pytest.fixture
def base(tmp_path, monkeypatch):
    monkeypatch.setenv(ALLOW, "127.0.0.1")
    base = opened(tmp_path / "home")
    yield base
    base.lab.close()


def test_it_serves_as_it_was_tried_until_its_certificate_lapses(base, tmp_path):
    with serving(Stub(tabular(alarm, "BYTES"))) as stub:
        scenario = writing_scenario(tmp_path)(rows=400, change=may_leave)
        prove(base, scenario, writing_endpoint(tmp_path)(stub.endpoint()))
        (issued,) = base.lab.view.find("issued-certificate")
        place = Place(base, issued.load(IssuedCertificate).certificate.serial)
        place.serve("kept-alarm", timeout_seconds=20, ask_human=False)
        key, asked = place.key("kept-alarm"), len(stub.asked)
        with listening(base, GatewayConfiguration()) as live:
            assert ask(live, key, "kept-alarm", [7.5, 1.0]) == ["broken", "fine"]
            assert len(stub.asked) == asked + 1
            stub.answer = tabular(lambda **_: "fine", "BYTES")
            assert canary_round(base) == 1
            with pytest.raises(urllib.error.HTTPError) as refused:
                ask(live, key, "kept-alarm", [7.5])
            assert refused.value.code in (403, 409, 502, 503)
