"""The programs on a service's page: each runs as it stands against a real gateway, and asks what the contract takes."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from benchmarks.peers.environments import site_packages
from pilotbase.documents.contract import Contract, DataType, Field, Prediction
from pilotbase.gateway.upstreams.tabular import TabularModel
from pilotbase.protocols.openai_wire import read_chat_request
from pilotbase.protocols.upstream import UpstreamCall
from pilotbase.service.registry import contract_behind, load_service
from pilotbase.service.snippets import snippets_for

LANGCHAIN = "Python · LangChain"
RUN = {
    "curl": ["sh", "-c"],
    "Python · openai": [sys.executable, "-c"],
    LANGCHAIN: [sys.executable, "-c"],
    "JavaScript": ["node", "--input-type=module", "-e"],
}


@pytest.mark.parametrize(
    "title", [pytest.param(one, marks=[pytest.mark.prove] if one == LANGCHAIN else []) for one in RUN]
)
def test_a_program_of_the_page_gets_an_answer(place, live, served, title):
    if not shutil.which(RUN[title][0]):
        pytest.skip(f"{RUN[title][0]} is not installed")
    view = place.base.lab.view
    snippets = snippets_for(served, contract_behind(view, load_service(view, served).routes[0]))
    program = next(one.program for one in snippets if one.title == title)
    own = {"PILOTBASE_GATEWAY": live.url, "PILOTBASE_SERVICE_KEY": place.key(served)}
    if title == LANGCHAIN:
        own["PYTHONPATH"] = str(site_packages("langchain"))
    done = subprocess.run([*RUN[title], program], env={**os.environ, **own}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert (said if "choices" not in said else json.loads(said["choices"][0]["message"]["content"])) == {
        "prediction": "fine"
    }


def field(name, kind, **more):
    return Field(name=name, dataType=kind, **more)


@pytest.mark.parametrize(
    ("features", "answers"),
    [
        pytest.param([field(kind.name.lower(), kind) for kind in DataType], "label", id="every type"),
        pytest.param(
            [
                field("a", "sc:Float", minimum=7),
                field("b", "sc:Integer", maximum=-7),
                field("c", "sc:Float", maximum=0),
            ],
            "value",
            id="bounds",
        ),
        pytest.param([field("question's", "sc:Text")], "text", id="one text"),
        pytest.param([field("messages", "sc:Text"), field("language", "sc:Text")], "text", id="dialogue"),
    ],
)
def test_what_an_example_asks_fits_the_contract(features, answers):
    classes = ("yes", "no") if answers == "label" else ()
    contract = Contract(features=tuple(features), prediction=Prediction(kind=answers, classes=classes))
    body = snippets_for("desk", contract)[0].program.partition("<<'JSON'\n")[2].removesuffix("JSON\n").encode()
    question = UpstreamCall("c1", "desk", body, read_chat_request(body), 1_800_000_000)
    assert TabularModel(contract, frozenset(), "sha256:0").read(question).batch.rows == 1
