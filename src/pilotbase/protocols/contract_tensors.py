"""A certified application as a model of the Open Inference Protocol, and as a chat model.

One tensor a field of the contract, of shape [n] or [n, 1]; where all fields are floats also one FP64 (or FP32) matrix
``input`` of shape [n, fields]. An image or a sound is BYTES: its array as `array_cells` spells it. The answer is one
tensor ``prediction`` of shape [n]: BYTES with the class (empty: an abstention) or the answer as it is spelled, FP64
with probability or value, of shape [n, 2] with the ends of an interval (NaN: an abstention).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from pilotbase.documents.contract import Contract, DataType, Field, Prediction
from pilotbase.documents.observation import Scalar
from pilotbase.documents.texts import Text, text
from pilotbase.protocols.contract_cases import ContractBrokenError, columns_of
from pilotbase.protocols.frames import AnswerBatch
from pilotbase.protocols.open_inference import BYTES, Tensor, TensorMetadata, texts_tensor

PREDICTION = "prediction"
TURNS = "messages"
"""The field of a dialogue: everything that was said so far, as a JSON list of role and content."""
QUERY, DOCUMENTS = "query", "documents"
"""Fields of a ranking: what is asked, and the documents, one a line: its number from 0, a blank, its words."""
MATRIX = "input"
_DATATYPES: Mapping[DataType, str] = {DataType.FLOAT: "FP64", DataType.INTEGER: "INT64", DataType.BOOLEAN: "BOOL"}
"""Of others: `BYTES`."""


def input_metadata(contract: Contract) -> tuple[TensorMetadata, ...]:
    """Return the tensors that the application takes, one a field."""
    datatypes = {field.name: _DATATYPES.get(field.data_type, BYTES) for field in contract.features}
    return tuple(TensorMetadata(name, datatype, (-1,)) for name, datatype in datatypes.items())


def output_metadata(prediction: Prediction) -> tuple[TensorMetadata, ...]:
    """Return the tensors that it answers with."""
    datatype = BYTES if prediction.is_spelled or prediction.kind == "label" else "FP64"
    return (TensorMetadata(PREDICTION, datatype, (-1, 2) if prediction.kind == "interval" else (-1,)),)


def columns_from_tensors(contract: Contract, tensors: Sequence[Tensor]) -> Mapping[str, Sequence[object]]:
    """Return the columns that ``tensors`` bring, as `CaseReader.read` takes them; raises `ContractBrokenError`."""
    if len(tensors) == 1 and tensors[0].name == MATRIX and _takes_matrix(contract):
        return _matrix_columns(contract, tensors[0])
    fields = {field.name: field for field in contract.features}
    problems: list[tuple[str, Text]] = []
    columns: dict[str, Sequence[object]] = {}
    for tensor in tensors:
        problems += [(tensor.name, problem) for problem in _shape_problems(tensor)]
        columns[tensor.name] = _values(fields.get(tensor.name), tensor, problems)
    if problems:
        raise ContractBrokenError.of(problems)
    return columns


def columns_from_chat(question: str) -> tuple[Mapping[str, Sequence[object]], bool]:
    """Return the columns of the cases in a chat message, and whether it was a list of them; raises as above."""
    try:
        found = json.loads(question)
    except (ValueError, RecursionError):
        raise ContractBrokenError.of([("messages", text("contract.no_json"))]) from None
    listed = isinstance(found, list)
    return columns_of(found if listed else [found]), listed


def spoken_field(contract: Contract) -> str | None:
    """Return the field that a chat message is, where one text is asked and a text answered; else None."""
    first, *others = contract.features
    speaks = contract.prediction.kind == "text" and first.data_type is DataType.TEXT and not others
    return first.name if speaks else None


def takes_turns(contract: Contract) -> bool:
    """Return whether an application is given a dialogue and answers with its next turn."""
    return contract.prediction.kind == "text" and (TURNS, DataType.TEXT) in (
        (field.name, field.data_type) for field in contract.features
    )


def columns_from_turns(
    contract: Contract, turns: Sequence[tuple[str, str]], others: Mapping[str, object]
) -> Mapping[str, Sequence[object]] | None:
    """Return the columns of one case: ``turns`` (role, words), and ``others``, which hold the contract's other fields.

    None: the last turn is itself cases in JSON.
    """
    try:
        found = json.loads(turns[-1][1])
    except (ValueError, RecursionError):
        found = None
    cases = found if isinstance(found, list) else [found]
    if cases and all(isinstance(case, dict) and TURNS in case for case in cases):
        return None
    said = [{"role": "system" if role == "developer" else role, "content": words} for role, words in turns]
    known = {field.name: [others[field.name]] for field in contract.features if field.name in others}
    return {**known, TURNS: [json.dumps(said, ensure_ascii=False)]}


def heard_field(contract: Contract) -> Field | None:
    """Return the field that a sound is, where one sound is given and a text answered; else None."""
    first, *others = contract.features
    hears = contract.prediction.kind == "text" and first.data_type is DataType.AUDIO and not others
    return first if hears else None


def ranks_documents(contract: Contract) -> bool:
    """Return whether an application is given a query and documents, and answers with the order of these."""
    fields = {(field.name, field.data_type) for field in contract.features}
    return contract.prediction.kind == "ranking" and fields == {(QUERY, DataType.TEXT), (DOCUMENTS, DataType.TEXT)}


def columns_to_rank(query: str, documents: Sequence[str]) -> Mapping[str, Sequence[object]]:
    """Return the columns of one case, a query with its documents."""
    lines = (f"{place} {' '.join(words.split())}" for place, words in enumerate(documents))
    return {QUERY: [query], DOCUMENTS: ["\n".join(lines)]}


def ranked_places(answer: Scalar, count: int) -> list[int]:
    """Return the places of the documents that an answer names, best first; names of none of ``count`` are left out."""
    named = json.loads(answer) if isinstance(answer, str) else []
    known = {str(place): place for place in range(count)}
    return [known[name] for name in dict.fromkeys(named) if name in known]


def answer_tensor(answers: AnswerBatch, prediction: Prediction) -> Tensor:
    """Return the answers as the tensor ``prediction``."""
    shape = answers.values.shape
    if prediction.is_spelled or prediction.kind == "label":
        spelled = answers.labels(prediction.classes) if prediction.kind == "label" else answers.values.tolist()
        return texts_tensor(PREDICTION, [answer or "" for answer in spelled], shape)
    return Tensor(PREDICTION, "FP64", shape, answers.values.reshape(-1))


def answer_text(answers: Sequence[Scalar], listed: bool) -> str:
    """Return the answers as the content of a chat message: ``{"prediction": …}``, or a list of these."""
    spelled = [{PREDICTION: answer} for answer in answers]
    return json.dumps(spelled if listed else spelled[0], ensure_ascii=False)


def answer_scalars(answers: AnswerBatch, prediction: Prediction) -> list[Scalar]:
    """Return the answers as plain values, abstentions as None."""
    if prediction.kind == "label":
        return [*answers.labels(prediction.classes)]
    if prediction.is_spelled:
        return list(answers.values.tolist())
    if prediction.kind == "interval":
        return [None if low != low or high != high else f"{low}|{high}" for low, high in answers.values.tolist()]
    return [None if value != value else value for value in answers.values.tolist()]


def _takes_matrix(contract: Contract) -> bool:
    floats = all(field.data_type is DataType.FLOAT for field in contract.features)
    return floats and [field.name for field in contract.features] != [MATRIX]


def _matrix_columns(contract: Contract, tensor: Tensor) -> Mapping[str, Sequence[object]]:
    width = len(contract.features)
    if len(tensor.shape) != 2 or tensor.shape[1] != width or tensor.datatype not in ("FP64", "FP32"):
        problem = text("contract.matrix", width=width, found=list(tensor.shape))
        raise ContractBrokenError.of([(MATRIX, problem)])
    matrix = tensor.values.reshape(tensor.shape).T.tolist()
    return {field.name: column for field, column in zip(contract.features, matrix, strict=True)}


def _shape_problems(tensor: Tensor) -> Iterator[Text]:
    column = len(tensor.shape) == 1 or (len(tensor.shape) == 2 and tensor.shape[1] == 1)
    if not column:
        yield text("contract.tensor_shape", found=list(tensor.shape))


def _values(field: Field | None, tensor: Tensor, problems: list[tuple[str, Text]]) -> Sequence[object]:
    """Return the elements as Python values of the field's own type; what cannot be is left to the reader to refuse."""
    values: list[object] = tensor.values.tolist()
    if tensor.datatype == BYTES:
        try:
            return [value.decode() if isinstance(value, bytes) else value for value in values]
        except UnicodeDecodeError:
            problems.append((tensor.name, text("contract.no_utf8")))
            return values
    if field is None or tensor.values.dtype.kind not in "fu":
        return values
    if field.data_type is DataType.INTEGER and tensor.values.dtype.kind == "f":
        return [int(value) if isinstance(value, float) and value.is_integer() else value for value in values]
    if field.data_type is DataType.BOOLEAN and tensor.datatype == "UINT8":
        return [{0: False, 1: True, 255: None}.get(value, value) for value in values]  # type: ignore[call-overload]
    return values
