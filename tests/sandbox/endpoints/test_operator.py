"""Keys and hosts are the operator's: a key goes to the supplier and the address for which it is kept, nowhere else."""

import json

import pytest

from pilotbase.documents.endpoint import Endpoint
from pilotbase.documents.errors import InputError, RefusedError
from pilotbase.gateway.configuration import GatewayConfiguration
from pilotbase.sandbox.endpoints.operator import ALLOW, KEYS_FILE, EndpointSettings
from tests.sandbox.endpoints.stubs_for_tests import Stub


def endpoint(url="https://api.example/v1", key="CHAT"):
    return Endpoint(**{**Stub(lambda body: {}).endpoint(url=url), "key": key})


@pytest.fixture
def environment(tmp_path):
    path = tmp_path / "keys.json"
    kept = {"acme/CHAT": {"url": "https://api.example/v1", "key": "sk-acme"}, "https://route.example": "sk-route"}
    path.write_text(json.dumps(kept))
    path.chmod(0o600)
    return {KEYS_FILE: str(path), ALLOW: "10.0.0.0/8, models.internal"}


def test_a_key_is_found_by_supplier_and_name(environment):
    operator = EndpointSettings.from_environment(environment)
    assert operator.key_for("acme", endpoint()) == "sk-acme"
    assert operator.key_for("acme", endpoint(key=None)) is None
    assert operator.guard.allowed == ("10.0.0.0/8", "models.internal")
    assert "sk-acme" not in repr(operator)


@pytest.mark.parametrize(
    ("supplier", "url", "code"),
    [
        ("rival", "https://api.example/v1", "endpoint.no_key"),
        ("acme", "https://evil.example/v1", "endpoint.key_elsewhere"),
        ("acme", "http://api.example/v1", "endpoint.key_elsewhere"),
        ("acme", "https://api.example:8443/v1", "endpoint.key_elsewhere"),
        ("acme", "https://api.example/v1evil", "endpoint.key_elsewhere"),
        ("acme", "https://api.example/v1/../admin", "endpoint.key_elsewhere"),
        ("acme", "https://api.example/v1/%2e%2E/admin", "endpoint.key_elsewhere"),
        ("acme", "https://api.example.evil/v1", "endpoint.key_elsewhere"),
    ],
)
def test_nobody_else_and_no_other_address_gets_it(environment, supplier, url, code):
    with pytest.raises(RefusedError) as refused:
        EndpointSettings.from_environment(environment).key_for(supplier, endpoint(url))
    assert refused.value.code == code
    assert all("sk-acme" not in refused.value.render(language) for language in ("en", "zh"))


def test_the_gateway_reads_its_own_keys_from_the_same_file(environment):
    assert GatewayConfiguration.from_environment(environment).endpoint_keys == {"https://route.example": "sk-route"}


@pytest.mark.parametrize("content", ["[]", "no json", '{"acme/CHAT": {"url": "https://x"}}', '{"a/B": {"key": 1}}'])
def test_a_file_without_keys_is_told(tmp_path, content):
    (tmp_path / "keys").write_text(content)
    (tmp_path / "keys").chmod(0o600)
    with pytest.raises(InputError) as found:
        EndpointSettings.from_environment({KEYS_FILE: str(tmp_path / "keys")})
    assert found.value.code == "endpoint.keys_unreadable"


def test_a_file_that_others_can_read_is_refused(environment, tmp_path):
    (tmp_path / "keys.json").chmod(0o644)
    with pytest.raises(InputError) as found:
        EndpointSettings.from_environment(environment)
    assert found.value.code == "endpoint.keys_exposed"
