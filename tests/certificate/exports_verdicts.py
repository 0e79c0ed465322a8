"""What the official readers say of exported certificates: file → None, or why not. Runs in an environment of its own.

``python exports_verdicts.py FOLDER``.
"""

import io
import json
import sys
from pathlib import Path

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from google.protobuf import json_format
from huggingface_hub import ModelCard
from in_toto_attestation.predicates.test_result.v0 import test_result_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from spdx_python_model import v3_0_1


def bom(data):
    return JsonStrictValidator(SchemaVersion.V1_6).validate_str(data.decode())


def statement(data):
    value = json.loads(data)
    Statement.copy_from_pb(json_format.ParseDict(value, statement_pb2.Statement())).validate()
    json_format.ParseDict(value["predicate"], test_result_pb2.TestResult())


def document(data):
    found = v3_0_1.SHACLObjectSet()
    v3_0_1.JSONLDDeserializer().read(io.BytesIO(data), found)
    v3_0_1.JSONLDSerializer().write(found, io.BytesIO())  # checks what each class requires
    return None if list(found.foreach_type("ai_AIPackage")) else "no AI package"


def card(data):
    results = ModelCard(data.decode()).data.eval_results
    return None if results and not any(one.verified for one in results) else f"{results}"


READERS = {".cdx.json": bom, ".intoto.json": statement, ".spdx.json": document, ".md": card}


def verdict(path):
    read = next(reader for suffix, reader in READERS.items() if path.name.endswith(suffix))
    try:
        found = read(path.read_bytes())
    except Exception as error:  # noqa: BLE001 - every refusal is a verdict
        found = error
    return None if found is None else f"{type(found).__name__}: {found}"


if __name__ == "__main__":
    print(json.dumps({path.name: verdict(path) for path in sorted(Path(sys.argv[1]).iterdir())}))
