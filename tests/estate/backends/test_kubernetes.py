"""The manifest for KubeRay has only fields that Kubernetes knows, and describes a cluster as the estate expects it."""

import copy
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator

from pilotbase_estate.backends.ray_cluster import ADDRESS, FLOOR, settings_of

ROOT = Path(__file__).parents[3]
MANIFEST = ROOT / "estate" / "kubernetes" / "raycluster.yaml"
CRD = ROOT.parent / "shared" / "conformance" / "kuberay" / "ray.io_rayclusters.yaml"
WORDS, NUMBER, FLAG = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}
MAP = {"type": "object", "additionalProperties": WORDS}


def thing(*required, **properties):
    return {"type": "object", "properties": properties, "required": list(required)}


def listed(item):
    return {"type": "array", "items": item}


SECRET = thing("secretKeyRef", secretKeyRef=thing("key", key=WORDS, name=WORDS))
QUANTITIES = {
    "type": "object",
    "additionalProperties": {"anyOf": [NUMBER, {"type": "string", "pattern": r"^\d+(\.\d+)?([KMGTPE]i?|m)?$"}]},
}
CONTAINER = thing(
    "name",
    name=WORDS,
    image=WORDS,
    command=listed(WORDS),
    env=listed(thing("name", name=WORDS, value=WORDS, valueFrom=SECRET)),
    resources=thing(limits=QUANTITIES),
    securityContext=thing(procMount=WORDS, seccompProfile=thing("type", type=WORDS)),
    volumeMounts=listed(thing("mountPath", "name", name=WORDS, mountPath=WORDS)),
)
CLAIM = thing("claimName", claimName=WORDS)
POD = thing(
    spec=thing(
        "containers",
        automountServiceAccountToken=FLAG,
        hostUsers=FLAG,
        containers=listed(CONTAINER),
        volumes=listed(thing("name", name=WORDS, emptyDir=thing(), persistentVolumeClaim=CLAIM)),
    )
)
GROUP = thing(
    "groupName",
    "maxReplicas",
    "minReplicas",
    "template",
    groupName=WORDS,
    replicas=NUMBER,
    minReplicas=NUMBER,
    maxReplicas=NUMBER,
    rayStartParams=MAP,
    template=POD,
)
CLUSTER = thing(
    apiVersion={"const": "ray.io/v1"},
    kind={"const": "RayCluster"},
    metadata=thing("name", name=WORDS),
    spec=thing(
        "headGroupSpec",
        rayVersion=WORDS,
        authOptions=thing(mode={"enum": ["disabled", "token"]}, secretName=WORDS),
        headGroupSpec=thing("template", rayStartParams=MAP, template=POD),
        workerGroupSpecs=listed(GROUP),
    ),
)
"""The fields that we use, as in ``openAPIV3Schema`` of ray.io/v1 in the CRD of KubeRay 1.7.0."""
PODS = thing(matchLabels=MAP)
POLICY = thing(
    apiVersion={"const": "networking.k8s.io/v1"},
    kind={"const": "NetworkPolicy"},
    metadata=thing("name", name=WORDS),
    spec=thing(
        podSelector=PODS,
        policyTypes=listed({"enum": ["Ingress", "Egress"]}),
        ingress=listed(thing(**{"from": listed(thing(podSelector=PODS))})),
    ),
)


def closed(schema):
    """The schema as ``kubectl apply --validate=strict`` takes it: a field that it does not name is wrong."""
    if isinstance(schema, list):
        return [closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: closed(one) for name, one in schema.items()}
    known = isinstance(found.get("properties"), dict) and found.get("type") == "object"
    return found | ({"additionalProperties": False} if known and "additionalProperties" not in found else {})


def faults(document, schema):
    return [f"{one.json_path}: {one.message}" for one in Draft202012Validator(closed(schema)).iter_errors(document)]


@pytest.fixture(scope="module")
def documents():
    return list(yaml.safe_load_all(MANIFEST.read_text("utf-8")))


def containers(cluster):
    groups = [cluster["spec"]["headGroupSpec"], *cluster["spec"]["workerGroupSpecs"]]
    return [one for group in groups for one in group["template"]["spec"]["containers"]]


def test_the_manifest_fits_the_schema(documents):
    cluster, policy = documents
    assert faults(cluster, CLUSTER) == [] and faults(policy, POLICY) == []


@pytest.mark.skipif(not CRD.is_file(), reason=f"the definition of KubeRay is not at {CRD}")
def test_the_manifest_fits_the_definition_of_kuberay(documents):
    crd = yaml.load(CRD.read_text("utf-8"), Loader=yaml.CSafeLoader)
    version = next(one for one in crd["spec"]["versions"] if one["name"] == "v1")
    schema = version["schema"]["openAPIV3Schema"]
    schema["properties"]["metadata"] = thing(name=WORDS)
    assert faults(documents[0], schema) == []


@pytest.mark.parametrize(
    ("spoil", "where"),
    [
        (lambda spec: spec.update(authOption=spec.pop("authOptions")), "$.spec"),
        (lambda spec: spec["headGroupSpec"]["rayStartParams"].update({"num-cpus": 0}), "num-cpus"),
        (lambda spec: spec["workerGroupSpecs"][0].pop("maxReplicas"), "workerGroupSpecs[0]"),
        (lambda spec: spec["workerGroupSpecs"][1]["template"].update(containers=[]), "workerGroupSpecs[1].template"),
    ],
)
def test_a_wrong_manifest_is_found(documents, spoil, where):
    wrong = copy.deepcopy(documents[0])
    spoil(wrong["spec"])
    assert where in "".join(faults(wrong, CLUSTER))


def test_the_manifest_is_a_cluster_as_the_estate_expects_it(documents):
    cluster, policy = documents
    spec, name = cluster["spec"], cluster["metadata"]["name"]
    assert tuple(map(int, spec["rayVersion"].split(".")[:2])) >= FLOOR
    assert len({one["image"] for one in containers(cluster)}) == 1
    assert spec["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    for group in spec["workerGroupSpecs"]:  # a machine is found by the name of its node, and only one bears it
        assert (group["rayStartParams"]["node-name"], group["maxReplicas"]) == (group["groupName"], 1)
    worker = next(one for one in containers(cluster) if one["name"] == "pilotbase-worker")
    given = {one["name"]: one.get("value", one.get("valueFrom")) for one in worker["env"]}
    assert given["RAY_AUTH_TOKEN"]["secretKeyRef"] == {"name": spec["authOptions"]["secretName"], "key": "auth_token"}
    assert settings_of({ADDRESS: given[ADDRESS], "RAY_AUTH_TOKEN": "drawn"}).address.endswith(":6379")
    (rule,) = policy["spec"]["ingress"]
    assert {"podSelector": policy["spec"]["podSelector"]} == rule["from"][0] and name in str(rule)
