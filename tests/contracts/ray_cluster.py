"""A Ray cluster of several nodes on this machine, for tests in a network of its own: a plugin of pytest (``-p``)."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.update(
    RAY_AUTH_MODE="token",
    RAY_AUTH_TOKEN=secrets.token_hex(32),
    RAY_USAGE_STATS_ENABLED="0",
    RAY_health_check_period_ms="1000",
    RAY_health_check_timeout_ms="1000",
    RAY_health_check_failure_threshold="3",
    RAY_prestart_worker_first_driver="0",
    RAY_enable_metrics_collection="0",
)

from ray.cluster_utils import Cluster

from pilotbase_estate.backends.ray_cluster import ADDRESS, settings_of
from pilotbase_estate.backends.ray_cluster import Cluster as RayCluster

SMALL = {"object_store_memory": 80 << 20}
NODE = {"num_cpus": 4, **SMALL}
"""More cores than a small machine has: what a node says is not what it has."""


class Grown:
    """A cluster that starts with a head and one node, ``hall-1``; others are added by who needs them."""

    def __init__(self) -> None:
        self.cluster = Cluster(True, head_node_args={"num_cpus": 1, "include_dashboard": False, **SMALL})
        self.nodes = {"hall-1": self.cluster.add_node(wait=False, **NODE, node_name="hall-1")}
        self.cluster.wait_for_nodes()

    def with_nodes(self, *names: str) -> None:
        """Have nodes of these names started where there are none."""
        for name in names:
            if name not in self.nodes:
                self.nodes[name] = self.cluster.add_node(wait=False, **NODE, node_name=name)
        self.cluster.wait_for_nodes()

    def kill(self, name: str) -> None:
        """Kill every process of a node."""
        self.cluster.remove_node(self.nodes.pop(name), allow_graceful=False)


@pytest.fixture(scope="session")
def grown() -> Iterator[Grown]:
    made = Grown()
    yield made
    made.cluster.shutdown()  # type: ignore[no-untyped-call]


@pytest.fixture(scope="session")
def asked(grown: Grown) -> Iterator[RayCluster]:
    os.environ[ADDRESS] = grown.cluster.address
    found = RayCluster(settings_of(os.environ))
    yield found
    found.close()


@pytest.fixture(scope="session")
def places() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pilotbase-nodes-") as name:
        Path(name).chmod(0o755)
        yield Path(name)
