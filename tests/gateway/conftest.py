"""One proven base and one gateway over it; each test puts the application into service under a name of its own."""

import itertools
from collections.abc import Iterator

import pytest

from pilotbase.gateway.configuration import GatewayConfiguration
from tests.gateway.endpoints_for_tests import Endpoint
from tests.gateway.gateways_for_tests import Live, Place, listening, proven, serving

_numbers = itertools.count()


@pytest.fixture(scope="session")
def place() -> Iterator[Place]:
    with proven() as place:
        yield place


@pytest.fixture(scope="session")
def live(place: Place) -> Iterator[Live]:
    with listening(place.base, GatewayConfiguration(allow=("127.0.0.1",))) as live:
        yield live


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Endpoint]:
    """An endpoint as others keep it, at its ``url``."""
    made = Endpoint()
    with serving(made) as url:
        made.url = url
        yield made


@pytest.fixture
def name() -> str:
    return f"service-{next(_numbers)}"


@pytest.fixture(scope="session")
def served(place: Place) -> str:
    """A service for tests that change nothing about it."""
    place.serve("pump-alarm", timeout_seconds=20)
    return "pump-alarm"
