"""Errors as callers read them: the status, and the body in the shape of the protocol that was spoken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pilotbase.documents.errors import InputError, PilotbaseError, RefusedError
from pilotbase.documents.texts import Language, sentence
from pilotbase.gateway.upstreams.agents import UnknownDialogueError
from pilotbase.gateway.upstreams.seated import NoSeatError
from pilotbase.protocols.contract_cases import ContractBrokenError
from pilotbase.protocols.strict_json import WireError
from pilotbase.protocols.upstream import QueueFullError, UpstreamDownError, UpstreamFailedError
from pilotbase.service.desk import TooManyCallsError
from pilotbase.workspace.failures import DiskFullError, NotFoundError

NEVER_RETRY = {"x-should-retry": "false"}
"""Tells OpenAI's clients, which try again by themselves, that it is in vain."""


class CallTimeoutError(PilotbaseError):
    """The answer has not come in the time that the service allows."""


@dataclass(frozen=True)
class ProblemKind:
    """How an error is told."""

    status: int
    type: str
    code: str | None = None
    """The code that the clients of OpenAI know; None: ours."""
    headers: Mapping[str, str] = field(default_factory=dict)


_INVALID, _OURS = "invalid_request_error", "server_error"
_NO_KEY = ProblemKind(401, _INVALID, "invalid_api_key", {"WWW-Authenticate": "Bearer"})
_STOPPED = ProblemKind(403, _INVALID, headers=NEVER_RETRY)
"""Several clients try a 503 again whatever its headers say; none of them a 403."""
_BY_CODE: Mapping[str, ProblemKind] = {
    "gateway.no_key": _NO_KEY,
    "service.unknown_key": _NO_KEY,
    "service.key_revoked": _NO_KEY,
    "service.key_expired": _NO_KEY,
    "service.unknown_service": ProblemKind(404, _INVALID, "model_not_found"),
    "service.budget_spent": ProblemKind(429, "insufficient_quota", "insufficient_quota", NEVER_RETRY),
    "service.budget_held": ProblemKind(429, "rate_limit_error", "rate_limit_exceeded", {"Retry-After": "1"}),
    "service.rate_limited": ProblemKind(429, "rate_limit_error", "rate_limit_exceeded"),
    "service.stopped": _STOPPED,
    "service.exposure_spent": _STOPPED,
    "service.certificate_revoked": _STOPPED,
    "service.certificate_suspended": _STOPPED,
    "service.certificate_expired": _STOPPED,
    "gateway.endpoint_misconfigured": ProblemKind(502, _OURS, headers=NEVER_RETRY),
    "gateway.needs_person": ProblemKind(503, _OURS, headers=NEVER_RETRY),
    "gateway.ended": _STOPPED,
    "wire.body_size": ProblemKind(413, _INVALID),
    "wire.body_slow": ProblemKind(408, _INVALID),
    "wire.encoded": ProblemKind(415, _INVALID, headers={"Accept-Encoding": "identity"}),
}
_BY_CLASS: tuple[tuple[type[PilotbaseError], ProblemKind], ...] = (
    (CallTimeoutError, ProblemKind(504, _OURS, headers=NEVER_RETRY)),
    (UnknownDialogueError, ProblemKind(409, _INVALID, headers=NEVER_RETRY)),
    (QueueFullError, ProblemKind(503, _OURS)),
    (UpstreamDownError, ProblemKind(503, _OURS)),
    (UpstreamFailedError, ProblemKind(502, _OURS)),
    (DiskFullError, ProblemKind(503, _OURS)),
    (NotFoundError, ProblemKind(404, _INVALID)),
    (InputError, ProblemKind(400, _INVALID)),
    (RefusedError, ProblemKind(403, _INVALID)),
    (PilotbaseError, ProblemKind(503, _OURS)),
)


@dataclass(frozen=True)
class ProblemMessage:
    """An error in the words of its reader."""

    kind: ProblemKind
    code: str
    message: str
    param: str | None
    headers: Mapping[str, str]


def problem_of(error: PilotbaseError, language: Language) -> ProblemMessage:
    """Return how ``error`` is told."""
    kind = _BY_CODE.get(error.code) or next(kind for known, kind in _BY_CLASS if isinstance(error, known))
    headers = {**kind.headers, "Pilotbase-Error": error.code}
    if isinstance(error, QueueFullError | NoSeatError | TooManyCallsError):
        headers["Retry-After"] = str(error.seconds)
    param = error.field if isinstance(error, WireError | ContractBrokenError) else None
    return ProblemMessage(kind, error.code, _message(error, language), param or None, headers)


def _message(error: PilotbaseError, language: Language) -> str:
    sentences = [sentence(error.text, language)]
    if isinstance(error, ContractBrokenError):
        found = [f"{issue.path}: {issue.problem.render(language)}".removeprefix(": ") for issue in error.issues]
        sentences.append("; ".join(found) + ("。" if language == "zh" else "."))
    sentences.append(sentence(error.hint, language))
    return ("" if language == "zh" else " ").join(" ".join(part.split()) for part in sentences)
