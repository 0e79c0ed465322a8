"""Every operation with what nobody should send: an answer that the schema knows, in problem details, never a failure.

Bounded for the quick tests; `test_schemathesis` asks for minutes.
"""

import json
import random

import pytest

from pilotbase.documents.api.shapes import Problem

NASTY = [
    "", "x" * 5000, "a\x00b", "\u202egnp.exe", "<script>alert(1)</script>", "=1+1", "../../etc/passwd", "-1", "NaN",
    "'; DROP TABLE jobs;--", "💥" * 50, "\ufffe",
]  # fmt: skip
VALUES = [None, True, -1, 1 << 70, 1e308, [], {}, [[[[]]]], {"en": None}]
RAW = [b"", b"{", b"null", b"[" * 5000, b'{"note": "\\ud800"}', b"\xff\xfe{}", b'{"a": 1, "a": 2}']
WHO = ("owner", "desk", "supplier", "regulator", None)


@pytest.fixture(scope="module")
def walked(one_world):
    one_world.trial.reach("certified")
    return one_world


def filled(path, chance, parameters):
    """The address with values that mostly exist, sometimes are odd."""
    real = {"owner": "plant", "name": "milling" if "scenario" in path else "c1" if "trials" in path else "forest"}
    for one in (one for one in parameters if one["in"] == "path"):
        odd = chance.choice(["..", "a%00b", "%F0%9F%92%A5", "A" * 300, "%2e%2e%2fx", "0"])
        value = odd if chance.random() < 0.3 else real.get(one["name"], one.get("example", "0"))
        path = path.replace(f"{{{one['name']}}}", str(value))
    return path


def spoilt(example, chance):
    """The example with one place changed, missing or added."""
    body = json.loads(json.dumps(example)) if isinstance(example, dict) else {}
    name = chance.choice([*body, "unknown"])
    if chance.random() < 0.2:
        body.pop(name, None)
    else:
        body[name] = chance.choice([*NASTY, *VALUES])
    return body


def asked(schema, path, method, operation, chance):
    parameters = operation.get("parameters", [])
    query = {one["name"]: chance.choice(NASTY) for one in parameters if one["in"] == "query" and chance.random() < 0.5}
    headers = {"HTTP_ACCEPT_LANGUAGE": chance.choice(["en", "zh"])}
    for one in parameters:
        if one["in"] == "header" and chance.random() < 0.3:
            name = one["name"].upper().replace("-", "_")
            headers[f"HTTP_{name}"] = chance.choice(["*", '"sha256:x"', "é" * 200, "k"])
    content = operation.get("requestBody", {}).get("content", {})
    if not content:
        return {"QUERY_STRING": _spelled(query), **headers}
    reference = content.get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
    example = schema["components"]["schemas"].get(reference, {}).get("examples", [{}])[0]
    raw = chance.choice(RAW) if chance.random() < 0.2 else json.dumps(spoilt(example, chance)).encode()
    kind = chance.choice([*content, *content, *content, "text/plain"])
    return {"data": raw, "content_type": kind, "QUERY_STRING": _spelled(query), **headers}


def _spelled(query):
    from urllib.parse import quote

    return "&".join(f"{name}={quote(value)}" for name, value in query.items())


@pytest.mark.prove
def test_no_failure_and_no_answer_that_the_schema_does_not_know(walked):
    chance, wrong = random.Random(7), []
    schema = walked.client().get("/api/openapi.json").json()
    browsers = {who: walked.client(who, raise_request_exception=False) for who in WHO}
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            for who in WHO:
                address = filled(path, chance, operation.get("parameters", []))
                sent = asked(schema, path, method, operation, chance)
                found = getattr(browsers[who], method)(address, **sent)
                if problem := undocumented(operation, found):
                    told = (found.status_code, problem, sent.get("data"), found.content[:200])
                    wrong.append((method, address, who, *told))
    assert not wrong, "\n".join(map(str, wrong))


def undocumented(operation, found):
    """What about an answer the schema does not say; nothing when all is well."""
    known = operation["responses"].get(str(found.status_code))
    if known is None:
        return "status"
    if found.status_code >= 400:
        Problem.model_validate_json(found.content)
        return "" if found["Content-Type"] == "application/problem+json" else "type"
    kinds = known.get("content", {})
    return "" if not kinds or found["Content-Type"].partition(";")[0] in kinds else "type"
