"""A base for one run: a service over the fixed upstream and one over a certified application, with keys and budgets."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from pilotbase.certificate.status import IssuedCertificate
from pilotbase.operations.services import NewBudget, NewKey, NewOverride, NewService
from pilotbase.service.admission import Premises
from pilotbase.service.creating import admit_endpoint, create_service
from pilotbase.service.terms import create_key, set_budget
from pilotbase.worker.base import Base, open_base
from pilotbase.worker.trials.proving import prove
from tests.trial.conftest import writing_application, writing_scenario

ENDPOINT, CERTIFIED = "fixed", "small-alarm"
CASE = {"pressure": 7.5, "age": 3, "site": "north"}


@dataclass(frozen=True)
class Keys:
    """A key to each service."""

    endpoint: str
    certified: str


def make_base(folder: Path, url: str) -> tuple[Path, Keys]:
    """Make a base under ``folder`` and return its home and keys; ``url`` is the upstream's."""
    home = folder / "home"
    os.environ["PILOTBASE_HOME"] = str(home)
    base = open_base(create=True, name="bench-base")
    prove(base, writing_scenario(folder)(), writing_application(folder)())
    (issued,) = base.lab.view.find("issued-certificate")
    serial = issued.load(IssuedCertificate).certificate.serial
    view, premises = base.lab.view, Premises.of_home(home, base.trust.roots())
    create_service(view, premises, NewService(name=CERTIFIED, certificate=serial))
    override = NewOverride(
        service=ENDPOINT, organisation="plant", protocol="openai", url=f"{url}/v1", model="fixed", reason="bench"
    )
    admit_endpoint(view, base.trust, override)
    keys = Keys(_key(base, ENDPOINT), _key(base, CERTIFIED))
    base.lab.close()
    return home, keys


def chat(content: str) -> str:
    """Return a chat request for the fixed upstream."""
    return json.dumps({"model": ENDPOINT, "max_tokens": 16, "messages": [{"role": "user", "content": content}]})


def inference() -> str:
    """Return a request of the Open Inference Protocol for the certified application."""
    kinds = {"pressure": "FP64", "age": "INT64", "site": "BYTES"}
    tensors = [{"name": name, "datatype": kinds[name], "shape": [1], "data": [value]} for name, value in CASE.items()]
    return json.dumps({"inputs": tensors})


def _key(base: Base, service: str) -> str:
    budget = NewBudget(service=service, budget="bench", period="total", calls=10**12, tokens=10**14)
    set_budget(base.lab.view, budget)
    secret = create_key(base.lab.view, NewKey(service=service, title="bench", budget="bench", days=1)).secret
    assert secret is not None
    return secret
