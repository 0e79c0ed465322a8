"""Manifests for Kubernetes, held against files that were read by eye. They have not been run on a cluster."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from pilotbase.compute.backends.backend import JobSpec, MemberAttempt, ProgramWork
from pilotbase.compute.backends.kubernetes import KubernetesCluster, manifests, network_policy
from pilotbase.documents.limits import Limits

GOLDEN = Path(__file__).parent / "golden"
CLUSTER = KubernetesCluster("pilot-base", "hall", "registry.example/pilotbase@sha256:" + "0" * 64, "programs")
LIMITS = Limits(wall_seconds=3600, scratch_bytes=1 << 30)
SPECS = {
    "gang": JobSpec(
        MemberAttempt("job-1f", 2),
        ProgramWork(
            Path("/kept/program"), ("train.py", "--epochs", "3"), Path("/kept/env"), {"logs": Path("/kept/logs")}
        ),
        {"cpu": 4000, "memory": 8 << 30, "gpu/t4": 1000},
        members=3,
        limits=LIMITS,
        uid=200_017,
    ),
    "plain": JobSpec(
        MemberAttempt("job-2a", 1), ProgramWork(Path("/kept/program"), ("main.py",)), {"cpu": 500}, limits=LIMITS
    ),
}


@pytest.mark.parametrize("name", SPECS)
def test_a_job_is_what_the_golden_file_says(name: str) -> None:
    assert manifests(SPECS[name], "mill", CLUSTER) == (GOLDEN / f"{name}.yaml").read_text(encoding="utf-8")


def test_the_policy_lets_jobs_reach_nothing() -> None:
    policy = yaml.safe_load(network_policy(CLUSTER))
    assert policy["spec"]["policyTypes"] == ["Ingress", "Egress"]
    assert "egress" not in policy["spec"]
    labels = yaml.safe_load(manifests(SPECS["plain"], "mill", CLUSTER))["spec"]["template"]["metadata"]["labels"]
    assert policy["spec"]["podSelector"]["matchLabels"].items() <= labels.items()


def test_a_share_of_a_gpu_is_asked_for_whole() -> None:
    spec = JobSpec(MemberAttempt("job-3", 1), ProgramWork(Path("/kept"), ("main.py",)), {"cpu": 500, "gpu/any": 250})
    pod = yaml.safe_load(manifests(spec, "mill", CLUSTER))["spec"]["template"]["spec"]
    assert pod["containers"][0]["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert pod["nodeSelector"] == {}
