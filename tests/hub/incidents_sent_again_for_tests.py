"""Acts on incidents, by requests that come again."""

from pilotbase.documents.vocabularies import EventGrade
from tests.hub.sent_again_for_tests import Sent, ask, case
from tests.watch.incidents_for_tests import open_one


def _incident(world, act: str) -> str:
    return f"/api/incidents/{open_one(world.trial.store, EventGrade.LARGER).number}/{act}"


@case("post /api/incidents/{number}/notes", "owner")
def note(world) -> Sent:
    yield _incident(world, "notes"), {"text": "Seen at night."}


@case("post /api/incidents/{number}/grade", "owner")
def grade(world) -> Sent:
    path = _incident(world, "grade")
    yield path, {"grade": "major", "response": "I"}
    ask(world, "desk", "post", path, {"grade": "larger", "response": "II"})


@case("post /api/incidents/{number}/reports", "owner")
def report(world) -> Sent:
    yield _incident(world, "reports"), {"clock": "operator_to_province"}


@case("post /api/incidents/{number}/mitigation", "owner")
def mitigate(world) -> Sent:
    yield _incident(world, "mitigation"), {}


@case("post /api/incidents/{number}/closing", "owner")
def close(world) -> Sent:
    yield _incident(world, "closing"), {"summary": "A worn sensor."}


@case("post /api/incidents/{number}/corrections", "owner")
def correct_a_line(world) -> Sent:
    path = _incident(world, "corrections")
    ask(world, "owner", "post", path.replace("corrections", "notes"), {"text": "Seen at night."})
    yield path, {"line": 1, "text": "Seen in the evening."}
