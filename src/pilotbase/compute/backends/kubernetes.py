"""Kubernetes: the Jobs that Kueue would admit for an attempt, as manifests. They are written, not applied or run here.

One indexed Job an attempt, all members at once or none (Kueue admits a Job whole); suspended, so that nothing starts
before it is admitted; never restarted, for what is tried again is the queue's to say. The container is bounded by what
the job asks for and by the pod security profile ``restricted``: no privileges, a read-only root, no network of its own
making. A cluster's policy must deny egress: `network_policy`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from pilotbase.compute.backends.backend import JobSpec
from pilotbase.documents.resources import MILLI, Vector

_MIB = 1 << 20
_UID = 10_001


@dataclass(frozen=True)
class KubernetesCluster:
    """Where the manifests are for: the pool is Kueue's queue."""

    namespace: str
    queue: str
    image: str
    """With Pilotbase in it, by digest."""
    claim: str
    """The volume claim that holds programs, packages and data, each under its path on the base."""


def manifests(spec: JobSpec, organisation: str, cluster: KubernetesCluster) -> str:
    """Return the Job of an attempt as YAML; ``organisation`` is a label, so that usage is told apart."""
    name = spec.attempt.name.rpartition(".")[0].replace(".", "-")
    labels = {
        "kueue.x-k8s.io/queue-name": cluster.queue,
        "app.kubernetes.io/managed-by": "pilotbase",
        "pilotbase/organisation": organisation,
        "pilotbase/job": spec.attempt.job,
        "pilotbase/attempt": str(spec.attempt.number),
    }
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name, "namespace": cluster.namespace, "labels": labels},
        "spec": {
            "suspend": True,
            "completionMode": "Indexed",
            "completions": spec.members,
            "parallelism": spec.members,
            "backoffLimit": 0,
            "activeDeadlineSeconds": int(spec.limits.wall_seconds),
            "template": {"metadata": {"labels": dict(labels)}, "spec": _pod(spec, cluster)},
        },
    }
    return str(yaml.safe_dump(job, sort_keys=False))


def network_policy(cluster: KubernetesCluster) -> str:
    """Return the policy that lets jobs reach nothing, as YAML; apply it once for the namespace."""
    policy = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "pilotbase-jobs", "namespace": cluster.namespace},
        "spec": {
            "podSelector": {"matchLabels": {"app.kubernetes.io/managed-by": "pilotbase"}},
            "policyTypes": ["Ingress", "Egress"],
        },
    }
    return str(yaml.safe_dump(policy, sort_keys=False))


def _pod(spec: JobSpec, cluster: KubernetesCluster) -> dict[str, Any]:
    work, uid = spec.work, spec.uid or _UID
    paths = {"/application": work.folder, **{f"/data/{name}": place for name, place in sorted(work.data.items())}}
    if work.environment is not None:
        paths["/environment"] = work.environment
    mounts = [
        {"name": "kept", "mountPath": target, "subPath": str(path).lstrip("/"), "readOnly": True}
        for target, path in paths.items()
    ]
    variables = {
        "PYTHONPATH": "/application:/environment",
        "PILOTBASE_MEMBERS": str(spec.members),
        "PILOTBASE_OUTPUT": "/tmp",  # noqa: S108 - the container's own
        "PILOTBASE_DATA": "/data",
    }
    index = {"fieldRef": {"fieldPath": "metadata.annotations['batch.kubernetes.io/job-completion-index']"}}
    container = {
        "name": "member",
        "image": cluster.image,
        "command": ["python3", f"/application/{work.entry[0]}", *work.entry[1:]],
        "env": [
            *({"name": name, "value": value} for name, value in variables.items()),
            {"name": "PILOTBASE_MEMBER", "valueFrom": index},
        ],
        "resources": {"requests": _resources(spec.demand), "limits": _resources(spec.demand)},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [*mounts, {"name": "scratch", "mountPath": "/tmp"}],  # noqa: S108
    }
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {"runAsNonRoot": True, "runAsUser": uid, "seccompProfile": {"type": "RuntimeDefault"}},
        "nodeSelector": _selector(spec.demand),
        "containers": [container],
        "volumes": [
            {"name": "kept", "persistentVolumeClaim": {"claimName": cluster.claim, "readOnly": True}},
            {"name": "scratch", "emptyDir": {"sizeLimit": f"{spec.limits.scratch_bytes // _MIB}Mi"}},
        ],
    }


def _resources(demand: Vector) -> Mapping[str, str]:
    """Return a demand in Kubernetes' words; a share of a GPU is no word of theirs and is rounded up to a whole one."""
    found = {"cpu": f"{demand.get('cpu', 0)}m"}
    if demand.get("memory"):
        found["memory"] = f"{demand['memory'] // _MIB}Mi"
    if demand.get("disk"):
        found["ephemeral-storage"] = f"{demand['disk'] // _MIB}Mi"
    gpus = sum(amount for name, amount in demand.items() if name.startswith("gpu/"))
    return {**found, "nvidia.com/gpu": str(-(-gpus // MILLI))} if gpus else found


def _selector(demand: Vector) -> Mapping[str, str]:
    kinds = [name.removeprefix("gpu/") for name, amount in demand.items() if name.startswith("gpu/") and amount]
    return {"pilotbase/gpu": kinds[0]} if kinds and kinds[0] != "any" else {}
