"""One error, four faces: exit code, the API's problem details, and both shapes of the gateway's answers."""

import importlib
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
import typer
from django.utils import translation
from typer.testing import CliRunner
from worlds_for_tests import start_django

from pilotbase.catalogue.records import StaleEditError
from pilotbase.cli.framework.terminal import command
from pilotbase.documents.errors import InputError, Issue, PilotbaseError, offer
from pilotbase.documents.limits import EndReason
from pilotbase.documents.permissions import Act
from pilotbase.documents.record import StepTaken
from pilotbase.documents.texts import text
from pilotbase.gateway import oip_routes, openai_routes
from pilotbase.gateway.door import problem_of
from pilotbase.protocols.contract_cases import ContractBrokenError
from pilotbase.protocols.frames import FrameError
from pilotbase.protocols.upstream import QueueFullError, UpstreamBusyError
from pilotbase.sandbox.box.ends import BoxEnd, BoxEnded
from pilotbase.vault.uploads import OffsetError

sys.path.insert(0, str(Path(__file__).parents[2] / "docs"))
import raised

FACES = {
    # error class: exit code, status of the API, status of the gateway
    "PilotbaseError": (1, 500, 503),
    "InputError": (2, 422, 400),
    "InvalidProofError": (3, 422, 503),
    "UnknownProofError": (4, 422, 503),
    "RefusedError": (5, 403, 403),
    "BarredError": (5, 409, 403),
    "BackendAwayError": (1, 500, 503),
    "BodyTooLargeError": (2, 413, 400),
    "BoxEnded": (1, 500, 503),
    "BoxStartError": (1, 500, 503),
    "BrokenOffError": (1, 422, 503),
    "BusyError": (1, 503, 503),
    "CallEndedError": (1, 500, 503),
    "CallTimeoutError": (1, 500, 504),
    "ConflictError": (1, 409, 503),
    "ContractBrokenError": (2, 422, 400),
    "DiskFullError": (1, 507, 503),
    "FrameError": (1, 500, 503),
    "HostGoneError": (1, 500, 503),
    "HostSilentError": (1, 500, 503),
    "JobStoppedError": (1, 500, 503),
    "JudgingError": (1, 500, 503),
    "LateError": (1, 422, 503),
    "LoginNeededError": (1, 401, 503),
    "MediaTypeError": (2, 415, 400),
    "UnknownDialogueError": (2, 422, 409),
    "MustWaitError": (1, 500, 503),
    "NoAnswerError": (1, 422, 503),
    "NoSeatError": (1, 500, 503),
    "NotFoundError": (2, 404, 404),
    "OffsetError": (1, 409, 503),
    "OtherEngineError": (5, 403, 403),
    "PreconditionError": (1, 412, 503),
    "QueueFullError": (1, 500, 503),
    "RangeError": (2, 416, 400),
    "SeatAwaitedError": (1, 500, 503),
    "SeatLostError": (1, 500, 503),
    "StaleEditError": (1, 412, 503),
    "StaleLeaseError": (1, 409, 503),
    "TooLargeError": (1, 422, 503),
    "TooManyCallsError": (5, 403, 429),
    "TooManyRequestsError": (5, 429, 403),
    "UnreachableError": (1, 503, 503),
    "UpstreamBusyError": (1, 500, 503),
    "UpstreamDownError": (1, 500, 503),
    "WorkerLostError": (1, 500, 503),
    "WorldFailedError": (1, 500, 503),
    "UpstreamFailedError": (1, 500, 502),
    "WireError": (2, 422, 400),
}
OF_THE_MACHINE = {"DiskFullError": "hub.disk_full", "UnreachableError": "hub.database_away"}
"""What the hub tells of the machine says nothing of its addresses."""


@pytest.fixture(scope="module", autouse=True)
def django(tmp_path_factory):
    start_django(tmp_path_factory.mktemp("faces"))


def made(name):
    """Return an error of a class, as the code makes it."""
    special = {
        "BoxEnded": lambda: BoxEnded(BoxEnd(EndReason.MEMORY_LIMIT, 1, "")),
        "ContractBrokenError": lambda: ContractBrokenError.of([("inputs.torque", text("contract.no_case", row=1))]),
        "FrameError": lambda: FrameError(EndReason.WRONG_COUNT),
        "OffsetError": lambda: OffsetError(2, 1),
        "QueueFullError": lambda: QueueFullError("gateway.queue_full", seconds=7),
        "RangeError": lambda: _class("RangeError")("bytes=9-", 5),
        "StaleEditError": _stale,
        "UpstreamBusyError": lambda: UpstreamBusyError("gateway.queue_full", seconds=7),
        "WorldFailedError": lambda: _class("WorldFailedError")(
            "office", {"op": "load"}, BoxEnded(BoxEnd(EndReason.MEMORY_LIMIT, 1, ""))
        ),
        "TooManyCallsError": lambda: _class("TooManyCallsError")(SimpleNamespace(prefix="pbk_x", calls_a_minute=60), 5),
        "TooManyRequestsError": lambda: _class("TooManyRequestsError")(600, 12),
    }
    return special[name]() if name in special else _class(name)("hub.forbidden")


def _class(name):
    return getattr(importlib.import_module(raised.module_of(name)), name)


def _stale():
    step = StepTaken(
        act=Act.TRIAL_QUEUE, state="queued", organisation="huadong-steel", at=datetime(2027, 3, 1, tzinfo=UTC)
    )
    return StaleEditError("commission:7f3a", [step])


def raising(error):
    """Return an API whose one operation raises ``error``, with the handlers of ours."""
    from ninja.testing import TestClient

    from pilotbase.hub.api.routes import HubApi, install

    api = HubApi(urls_namespace=error.code + type(error).__name__)
    install(api)

    @api.get("/it")
    def it(request):
        raise error

    return TestClient(api)


def test_the_table_holds_every_class():
    known = {name: code for name, code in raised.exit_codes().items() if not name.startswith("_")}  # others are bases
    assert {name: faces[0] for name, faces in FACES.items()} == known


@pytest.mark.parametrize(("language", "stop"), [("en", "."), ("zh", "。")])
@pytest.mark.parametrize("name", FACES)
def test_the_command_line_says_what_and_what_to_do_and_exits_by_class(name, language, stop, monkeypatch):
    monkeypatch.setenv("PILOTBASE_LANGUAGE", language)
    app, error = typer.Typer(), made(name)

    def it() -> None:
        raise error

    it.drives_hub = True  # whether or not an earlier test of this process has named one
    app.command()(command(it))
    result = CliRunner().invoke(app)
    assert result.exit_code == FACES[name][0]
    lines = result.stderr.strip().splitlines()
    assert lines == error.render(language).splitlines()
    assert len(lines) > 1
    assert lines[-1].endswith(stop)


@pytest.mark.parametrize("name", FACES)
def test_the_api_answers_problem_details_by_class(name):
    error = made(name)
    answer = raising(error).get("/it")
    body = json.loads(answer.content)
    code = OF_THE_MACHINE.get(name, error.code)
    assert (answer.status_code, body["status"]) == (FACES[name][1], FACES[name][1])
    assert answer["Content-Type"] == "application/problem+json"
    assert (body["code"], body["type"]) == (code, f"urn:pilotbase:problem:{code}")
    assert [body["title"], body["hint"]] == PilotbaseError(code, **error.text.params).render("en").splitlines()


def test_the_api_lists_every_problem_with_its_place():
    issue = Issue(file="request", path="criteria.0", problem=text("api.nul"))
    body = json.loads(raising(InputError.from_issues("request", [issue, issue])).get("/it").content)
    assert [problem["path"] for problem in body["problems"]] == ["criteria.0", "criteria.0"]


def test_the_api_names_file_and_line_of_what_was_handed_in_and_what_to_do():
    problem = text("data.unknown_positive", found="brokn", allowed=offer("brokn", ["broken"]))
    hint = InputError("data.unknown_positive").hint
    issue = Issue(file="scenario.yaml", path="positive", problem=problem, line=23, hint=hint)
    with translation.override("en"):
        answer = raising(InputError.from_issues("scenario.yaml", [issue])).get("/it")
    (told,) = json.loads(answer.content)["problems"]
    assert (told["file"], told["line"], told["path"]) == ("scenario.yaml", 23, "positive")
    assert told["detail"].endswith("did you mean broken? Name a class that occurs in the table.")


@pytest.mark.parametrize(("language", "stop"), [("en", "."), ("zh", "。")])
@pytest.mark.parametrize("name", FACES)
def test_the_gateway_answers_in_the_shape_of_its_protocol_by_class(name, language, stop):
    error = made(name)
    problem = problem_of(error, language)
    assert problem.kind.status == FACES[name][2]
    assert problem.headers["Pilotbase-Error"] == error.code
    openai, inference = (json.loads(shape.error_body(problem))["error"] for shape in (openai_routes, oip_routes))
    assert openai.keys() == {"message", "type", "param", "code"}
    assert openai["message"] == inference
    assert inference.endswith(stop)
