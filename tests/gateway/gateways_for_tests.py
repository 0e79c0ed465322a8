"""A base with a proven application in service, and gateways that answer over real connections."""

import re
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import pytest
import uvicorn

from pilotbase.certificate.status import IssuedCertificate
from pilotbase.documents.service import ServiceTerms
from pilotbase.documents.vocabularies import Scope
from pilotbase.gateway.app import make_app, open_gateway
from pilotbase.gateway.configuration import GatewayConfiguration
from pilotbase.gateway.door import Gateway
from pilotbase.operations.services import NewBudget, NewKey, NewOverride, NewService
from pilotbase.service.admission import Premises
from pilotbase.service.creating import admit_endpoint, create_service
from pilotbase.service.registry import load_service, seen_by
from pilotbase.service.terms import create_key, set_budget
from pilotbase.worker.base import Base, open_base
from pilotbase.worker.trials.proving import prove
from tests.trial.conftest import writing_application, writing_scenario

PROGRAM = """
import os, time
def predict(batch):
    if 6.5 in list(batch["pressure"]):
        os._exit(3)
    if 6.25 in list(batch["pressure"]):
        time.sleep(100)
    return [None if p == 6.75 else "broken" if p > 6 else "fine" for p in batch["pressure"]]
"""
"""6.5 ends the box, 6.25 takes longer than any test waits, 6.75 is left to a person."""
CASE = {"pressure": 7.5, "age": 3, "site": "north"}
SERVICE = "pump-alarm"


def bounded(scenario: str) -> str:
    """Give the pressure a range."""
    return scenario.replace("unit: bar}", "unit: bar, minimum: 0, maximum: 10}")


@dataclass
class Place:
    """A base whose application is certified, as the tests make services of it."""

    base: Base
    certificate: str
    scenario: Path | None = None

    def serve(self, name: str = SERVICE, **terms: object) -> None:
        """Put the application into service."""
        premises = Premises.of_home(self.base.home.path, self.base.trust.roots())
        wanted = NewService(name=name, certificate=self.certificate, terms=ServiceTerms(**terms))
        create_service(self.base.lab.view, premises, wanted)

    def endpoint(self, url: str, name: str, protocol: str = "openai", replicas: tuple[str, ...] = ()) -> None:
        """Let an endpoint serve on the operator's word."""
        said = {"service": name, "organisation": "plant", "reason": "a test"}
        wanted = NewOverride(**said, protocol=protocol, url=url, replicas=replicas, model="their-model")
        admit_endpoint(self.base.lab.view, self.base.trust, wanted)

    def terms(self, name: str, **terms: object) -> None:
        """Change the terms of a service."""
        view, before = self.base.lab.view, load_service(self.base.lab.view, name)
        changed = before.model_copy(update={"terms": ServiceTerms(**terms)})
        with view.transaction("service.created") as change:
            made = change.put(changed, seen_by(changed), owner=changed.organisation)
            change.set_head(f"service:{name}", made, expected=before.digest())

    def key(self, service: str = SERVICE, budget: str | None = None, scope: Scope = Scope.INFER, days: int = 1) -> str:
        wanted = NewKey(service=service, title="tests", scopes=frozenset({scope}), budget=budget, days=days)
        return create_key(self.base.lab.view, wanted).secret

    def budget(self, name: str, service: str = SERVICE, **bounds: object) -> None:
        wanted = NewBudget(service=service, budget=name, period="total", **bounds)
        set_budget(self.base.lab.view, wanted)


@contextmanager
def proven() -> Iterator[Place]:
    """Yield a base that has proven the application."""
    folder = Path(tempfile.mkdtemp(prefix="pilotbase-gateway-"))
    base = opened(folder / "home")
    try:
        scenario = writing_scenario(folder)(rows=400, change=bounded)
        prove(base, scenario, writing_application(folder)(PROGRAM))
        (issued,) = base.lab.view.find("issued-certificate")
        yield Place(base, issued.load(IssuedCertificate).certificate.serial, scenario)
    finally:
        base.lab.close()
        shutil.rmtree(folder, ignore_errors=True)


def opened(home: Path) -> Base:
    """Return the base at ``home``, made where there is none."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PILOTBASE_HOME", str(home))
        return open_base(create=True, name="test-base")


@dataclass(frozen=True)
class Live:
    """A gateway that listens."""

    url: str
    gateway: Gateway

    def counts(self, service: str, what: str = "pending") -> int:
        """Return how many calls of a service are under way or waiting, or how many of its ``boxes`` run."""
        with urlopen(f"{self.url}/metrics", timeout=60) as answer:
            told = answer.read().decode()
        found = re.search(rf'^pilotbase_service_{what}{{service="{service}"}} (\d+)', told, re.M)
        return int(found[1]) if found else 0


@contextmanager
def listening(base: Base, configuration: GatewayConfiguration) -> Iterator[Live]:
    """Serve ``base`` from a thread on a port of this machine until the end of the block."""
    gateway = open_gateway(base.lab, configuration)
    with serving(make_app(gateway, base.lab)) as url:
        yield Live(url, gateway)


@contextmanager
def serving(app: object) -> Iterator[str]:
    """Serve an ASGI application from a thread until the end of the block; yields its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_config=None, lifespan="auto", timeout_graceful_shutdown=5)  # type: ignore[arg-type]
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.started
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)
