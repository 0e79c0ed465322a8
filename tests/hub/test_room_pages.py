"""The room of a match on the hub: begun from a match, in the other's inbox, with files on terms, until its end."""

import html
import re
from typing import get_args

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from pilotbase.documents.room import RoomState
from pilotbase.worker.rooms import rooms_of
from tests.catalogue.records_for_tests import DESK
from tests.hub.steps_for_tests import Steps


@pytest.fixture(scope="module")
def base(one_world):
    one_world.trial.open_scenario()
    one_world.trial.submit_application()
    return one_world


def page(base, who, address, language="en"):
    answer = base.client(who).get(address, HTTP_ACCEPT_LANGUAGE=language)
    assert answer.status_code == 200, address
    return html.unescape(answer.content.decode())


def test_two_sides_meet_in_a_room_and_part_with_a_reason(base):
    owner, supplier = base.client("owner"), base.client("supplier")
    matches = page(base, "supplier", "/applications/acme/forest/matches/")
    new = "/rooms/new/?demand=scenario%3Aplant%2Fmilling&application=application%3Aacme%2Fforest"
    assert new in matches and "/rooms/new/" not in page(base, "desk", "/applications/acme/forest/matches/")
    asked = page(base, "supplier", new)
    assert "Machine failure" in asked and "Random forest" in asked and "scenario:" not in re.sub(r"<[^>]+>", "", asked)
    assert supplier.get("/rooms/new/")["Location"] == "/matching/"
    place = supplier.post(new, {"words": "Does it work without a torque sensor?"})["Location"]
    assert "proposes a room" in page(base, "owner", "/work/") and place in page(base, "owner", "/rooms/")
    assert base.client("other-supplier").get(place).status_code == 404
    steps = Steps(base)
    steps.look("proposed", place)
    owner.post(f"{place}agree/")
    assert "proposes a room" not in page(base, "owner", "/work/")
    steps.look("open", place)
    assert steps.seen == set(get_args(RoomState)) - {"ended"}
    supplier.post(place, {"add": "question", "words": "How often is torque measured?"})
    assert "has asked a question" in page(base, "owner", "/work/")
    assert "id_answer2_words" in page(base, "owner", place) and "id_answer2_words" not in page(base, "supplier", place)
    owner.post(place, {"add": "answer", "number": "2", "words": "Ten times a second."})
    sent = {"add": "file", "terms": "For this talk only.", "content": SimpleUploadedFile("line3.csv", b"torque\n1\n")}
    assert owner.post(place, sent).status_code == 302
    assert supplier.get(f"{place}files/4/").status_code == 409
    assert "Accept the terms" in page(base, "supplier", place) and "Accept the terms" not in page(base, "owner", place)
    supplier.post(f"{place}4/accept/")
    assert b"".join(supplier.get(f"{place}files/4/").streaming_content) == b"torque\n1\n"
    assert base.client("desk").get(f"{place}files/4/").status_code == 403
    assert "line3.csv" in page(base, "desk", place), "the base sees what happened"
    owner.post(place, {"add": "decision", "words": "We begin with line 3."})
    supplier.post(f"{place}6/confirm/")
    owner.post(place, {"add": "step", "words": "Fit the sensor.", "who": "plant", "due": "2026-06-01"})
    assert "The next step" in page(base, "owner", "/work/")
    owner.post(f"{place}8/done/")
    refused = owner.post(place, {"add": "end", "outcome": "trial", "reason": "Agreed."})
    assert "No trial of this application" in html.unescape(refused.content.decode()), "what was typed is kept"
    owner.post(place, {"add": "end", "outcome": "declined", "reason": "The line is rebuilt this year."})
    assert "The line is rebuilt this year." in page(base, "supplier", place, "en")
    assert "不再继续" in page(base, "supplier", place, "zh-Hans")
    [room] = rooms_of(base.trial.store.as_actor(DESK))
    assert [one.kind for one in room.entries] == [
        "agreed", "question", "answer", "file", "accepted", "decision", "confirmed", "step", "done", "ended"
    ]  # fmt: skip
