"""Only what holds a certificate now, and is kept here as it was verified, is put into service."""

from datetime import timedelta

import pytest

from pilotbase.certificate.status import IssuedCertificate
from pilotbase.documents.errors import PilotbaseError
from pilotbase.documents.service import EndpointRoute
from pilotbase.documents.texts import text
from pilotbase.documents.vocabularies import Role, ServingState
from pilotbase.operations.services import NewOverride, NewService
from pilotbase.sandbox.box.environments import find_environment
from pilotbase.service.calls import Cost
from pilotbase.service.creating import admit_endpoint, create_service
from pilotbase.service.registry import load_service, services_behind
from pilotbase.service.standing import history_of, take_offline
from pilotbase.workspace.actors import actor
from tests.service.services_for_tests import Served, digest

OWNER = actor("plant", Role.DEMAND_OWNER, person="p-owner")


def put(served: Served, certificate: str, name: str = "milling", who=None):
    view = served.view if who is None else served.store.as_actor(who)
    stored = served.view.get(certificate)
    number = certificate if stored is None else stored.load(IssuedCertificate).certificate.serial
    return create_service(view, served.premises, NewService(name=name, certificate=number))


def why_not(served: Served, certificate: str, **options) -> str:
    with pytest.raises(PilotbaseError) as caught:
        put(served, certificate, **options)
    assert caught.value.render("zh") != caught.value.render("en")
    assert served.view.head("service:milling") is None
    return caught.value.code


def test_a_certified_application_serves(served: Served) -> None:
    certificate = served.certify(held=served.hold())
    service = put(served, certificate, who=OWNER)
    assert (service.organisation, service.scenario, service.routes[0].certificate) == (
        "plant",
        "scenario:plant/milling",
        certificate,
    )
    assert services_behind(served.view, certificate) == [service]
    with served.desk() as desk:
        assert desk.admit(served.key(), "milling", Cost()).route == service.routes[0]


def test_what_does_not_hold_is_refused_with_its_reason(served: Served, clock) -> None:
    held = served.hold()
    assert why_not(served, digest("nothing")) == "service.no_certificate"
    assert why_not(served, served.certify("1.0.1", held=held, verdict="reject")) == "service.not_accepted"
    assert why_not(served, served.certify("1.0.2", held=held, action="forged")) == "log.head_differs"
    revoked, suspended = served.certify("1.0.3", held=held), served.certify("1.0.4", held=held)
    served.revoke("1.0.3")
    served.suspend("1.0.4")
    assert why_not(served, revoked) == "service.revoked"
    assert why_not(served, suspended) == "service.suspended"
    short = served.certify("1.0.5", held=held, days=1)
    clock.step(86_400)
    assert why_not(served, short) == "service.certificate_out_of_time"


def test_other_bytes_than_those_that_were_verified_are_refused(served: Served) -> None:
    folder, environment = served.hold()
    assert why_not(served, served.certify("1.1.0", held=(digest("x"), environment))) == "service.application_missing"
    assert why_not(served, served.certify("1.1.1", held=(folder, digest("x")))) == "service.environment_missing"
    certificate = served.certify("1.1.2", held=(folder, environment))
    kept = served.premises.applications / folder.removeprefix("sha256:") / "app.py"
    kept.parent.chmod(0o755)
    kept.chmod(0o644)
    kept.write_text("def predict(cases):\n    return ['broken' for _ in cases]\n")
    assert why_not(served, certificate) == "service.application_changed"
    found = find_environment(served.premises.environments / "acme", environment)
    assert found is not None
    found.path.chmod(0o755)
    (found.path / "extra.py").write_text("")
    assert find_environment(served.premises.environments / "acme", environment) is None


def test_only_operator_and_owner_put_into_service(served: Served) -> None:
    certificate = served.certify(held=served.hold())
    for who in (
        actor("acme", Role.SUPPLIER, person="s"),
        actor("hospital", Role.DEMAND_OWNER, person="o"),
        actor("ministry", Role.REGULATOR, person="r"),
    ):
        assert why_not(served, certificate, who=who) == "service.not_yours"


def test_a_newer_version_answers_and_the_earlier_is_what_is_fallen_back_to(served: Served) -> None:
    first, second = (
        served.certify("1.0.0", held=served.hold("1.0.0")),
        served.certify("2.0.0", held=served.hold("2.0.0")),
    )
    put(served, first)
    take_offline(served.view, "milling", text("verdict.accept"))
    service = put(served, second)
    assert [route.certificate for route in service.routes] == [second, first]
    assert history_of(served.view, "milling")[0].state is ServingState.SERVING
    assert put(served, second) == service
    assert load_service(served.view, "milling") == service


def test_an_endpoint_serves_on_the_operators_word_for_a_time(served: Served, clock) -> None:
    wanted = NewOverride(
        service="chat", organisation="plant", protocol="openai", url="https://llm.example/v1", model="m", reason="pilot"
    )
    with pytest.raises(PilotbaseError) as caught:
        admit_endpoint(served.store.as_actor(OWNER), served.trust, wanted)
    assert caught.value.code == "service.not_yours"
    service = admit_endpoint(served.view, served.trust, wanted)
    assert isinstance(service.routes[0], EndpointRoute)
    secret = served.key(service="chat")
    with served.desk() as desk:
        assert desk.admit(secret, "chat", Cost()).route == service.routes[0]
        clock.step(timedelta(days=14).total_seconds())
        with pytest.raises(PilotbaseError) as caught:
            desk.admit(secret, "chat", Cost())
        assert caught.value.code == "service.certificate_expired"
    too_long = wanted.model_copy(update={"days": 10_000})
    with pytest.raises(PilotbaseError) as caught:
        admit_endpoint(served.view, served.trust, too_long)
    assert caught.value.code == "service.override_outside_key"
