"""Agents of each kind pass a whole trial: by MCP or as an image in a box, by OpenAI's API or A2A from afar."""

import json
import re

import pytest

from pilotbase.documents.application import Application
from pilotbase.documents.errors import InputError
from pilotbase.documents.loading import build_document
from pilotbase.documents.vocabularies import Verdict
from pilotbase.documents.yaml_reader import parse_yaml
from pilotbase.worker.trials.proving import prove
from pilotbase.worker.trials.replaying import replay_trial
from tests.contracts.image_cases import busybox_layer, layer, saved
from tests.contracts.test_adapters import NO_BUSYBOX
from tests.sandbox.door_client_for_tests import CLIENT
from tests.sandbox.endpoints.model_servers_for_tests import FORMS, speaking
from tests.sandbox.endpoints.stubs_for_tests import Stub, serving
from tests.sandbox.endpoints.test_a2a import served_by_the_sdk
from tests.sandbox.endpoints.test_acting import PROMPT, carrier
from tests.trial.arena.agents import MANIFEST, UTILITY, write_agent, write_scenario
from tests.trial.arena.test_model_trials import open_the_door
from tests.trial.arena.test_trials import bilingual_carrier
from tests.trial.test_deciding import run

BY_MCP = f"""{CLIENT}

def run(task, door):
    client = Door(door)
    client.call("pay", amount=int(re.search(r"\\d+", task).group()))
    client.call("move", room=re.search(r"(red|green|blue|white) (?:room|房间)", task).group(1))
    return "The parcel is there."
"""

LANGCHAIN = f"""{CLIENT}
import httpx2
from langchain.agents import create_agent
from langchain_core.tools import StructuredTool
from langchain_openai import ChatOpenAI


def run(task, door):
    client = Door(door)
    tools = [
        StructuredTool.from_function(
            lambda name=one["name"], **given: json.dumps(client.call(name, **given)),
            name=one["name"], description=one["description"], args_schema=one["inputSchema"],
        )
        for one in client.ask("tools/list")["tools"]
    ]
    http = httpx2.Client(transport=httpx2.HTTPTransport(uds=door))
    model = ChatOpenAI(model="base", base_url="http://door/v1", api_key="-", http_client=http, max_retries=0)
    ended = create_agent(model, tools).invoke({{"messages": [{{"role": "user", "content": task}}]}})
    return ended["messages"][-1].content
"""

BY_IMAGE = r"""
index($0, "\"rows\": 0") { print "[]"; fflush(); next }
{
    sub(/.*task/, "")
    match($0, / [0-9]+[ ,]/); fee = substr($0, RSTART + 1, RLENGTH - 2)
    match($0, / (red|green|blue|white) /); room = substr($0, RSTART + 1, RLENGTH - 2)
    acts = "[" act("pay", "amount", fee) ", " act("move", "room", "\"" room "\"") ", {\"done\": true}]"
    gsub(/"/, "\\\\\"", acts)
    print "[\"" acts "\"]"; fflush()
}
function act(tool, name, value) {
    return "{\"tool\": \"" tool "\", \"arguments\": {\"" name "\": " value "}}"
}
"""
"""In awk, since an image of the tests has nothing but busybox."""


def by_chat(body):
    """As `carrier`, in both languages."""
    task = body["messages"][1]["content"]
    fee, room = re.search(r"\d+", task).group(), re.search(r"(red|green|blue|white) (?:room|房间)", task).group(1)
    body["messages"][1]["content"] = f"fee of {fee}, to the {room} room"
    return carrier(body)


def proven_from_afar(base, folder, **endpoint):
    """Try an agent behind ``endpoint``."""
    application = write_agent(folder, "")
    manifest = MANIFEST.format(name="far") + f"runtime: endpoint\nendpoint: {json.dumps(endpoint)}\n"
    (application / "application.yaml").write_text(manifest)
    scenario = write_scenario(folder, UTILITY)
    manifest = scenario / "scenario.yaml"
    manifest.write_text(manifest.read_text() + "conditions: {data_may_leave: true}\n")
    return prove(base, scenario, application, folder / "out")


@pytest.mark.prove
def test_an_agent_that_speaks_mcp_in_its_box_is_accepted_and_replayed(base, tmp_path):
    application = write_agent(tmp_path, BY_MCP)
    manifest = application / "application.yaml"
    manifest.write_text(manifest.read_text().replace("interface: act", "interface: mcp"))
    proven = prove(base, write_scenario(tmp_path, UTILITY), application, tmp_path / "out")
    assert proven.report.verdict is Verdict.ACCEPT, [(one.rule, one.estimate) for one in proven.report.criteria]
    assert replay_trial(tmp_path / "out").verdict is Verdict.ACCEPT


@NO_BUSYBOX
@pytest.mark.prove
def test_an_agent_in_a_container_image_is_accepted_and_replayed(base, tmp_path):
    application = write_agent(tmp_path)
    (application / "app.py").unlink()
    start = {"Entrypoint": ["awk", "-f", "/opt/agent.awk"], "Env": ["PATH=/bin"]}
    (application / "image.tar").write_bytes(saved([busybox_layer(), layer({"opt/agent.awk": BY_IMAGE})], start))
    manifest = application / "application.yaml"
    manifest.write_text(manifest.read_text() + "runtime: container\nimage: image.tar\n")
    proven = prove(base, write_scenario(tmp_path, UTILITY), application, tmp_path / "out")
    assert proven.report.verdict is Verdict.ACCEPT, [(one.rule, one.estimate) for one in proven.report.criteria]
    assert proven.report.criteria[0].estimate == 1
    assert replay_trial(tmp_path / "out").verdict is Verdict.ACCEPT


@pytest.mark.prove
def test_an_agent_of_langchain_in_its_box_calls_the_tools_with_the_model_of_the_base(base, tmp_path, monkeypatch):
    monkeypatch.setenv("PILOTBASE_ENDPOINT_ALLOW", "127.0.0.1")
    application = write_agent(tmp_path, LANGCHAIN)
    manifest = application / "application.yaml"
    manifest.write_text(manifest.read_text().replace("interface: act", "interface: mcp"))
    wanted = [
        part for name in ("langchain==1.5.2", "langchain-openai==1.8.1", "httpx2") for part in ("--package", name)
    ]
    locked = run("application", "lock", application, *wanted)
    assert locked.exit_code == 0, locked.output
    scenario = write_scenario(tmp_path, UTILITY, hidden=4, cases=4)
    limits = scenario / "scenario.yaml"
    limits.write_text(limits.read_text().replace("load_seconds: 60, memory_bytes: 256 MiB", "memory_bytes: 1 GiB"))
    keys = tmp_path / "keys.json"
    keys.touch(mode=0o600)
    with serving(Stub(bilingual_carrier)) as stub:
        keys.write_text(json.dumps({"@door/CARRIER": {"url": stub.url, "key": "s3cret"}}))
        monkeypatch.setenv("PILOTBASE_GATEWAY_ENDPOINT_KEYS_FILE", str(keys))
        open_the_door(scenario, stub)
        report = prove(base, scenario, application, tmp_path / "out").report
    assert report.verdict is Verdict.ACCEPT, [(one.rule, one.estimate, one.outcome) for one in report.criteria]
    assert report.door.use.calls == 4 * 3
    assert replay_trial(tmp_path / "out").episodes == 8


@pytest.mark.prove
@pytest.mark.parametrize("form", ["chat", "streamed chat", "streamed responses"])
def test_an_agent_behind_openais_api_is_accepted_and_its_calls_are_counted(form, base, tmp_path, monkeypatch):
    monkeypatch.setenv("PILOTBASE_ENDPOINT_ALLOW", "127.0.0.1")
    with serving(Stub(speaking(by_chat))) as stub:
        report = proven_from_afar(base, tmp_path, **stub.endpoint(**FORMS[form], prompt=PROMPT)).report
    assert report.verdict is Verdict.ACCEPT, [(one.rule, one.estimate) for one in report.criteria]
    assert report.endpoint.calls == 6 * 3 < len(stub.asked), "the rest was practice"
    assert (report.endpoint.completion_tokens, report.endpoint.estimated) == (6 * 3 * 5, 0)


@pytest.mark.prove
def test_an_agent_of_the_official_a2a_sdk_is_accepted_and_replayed(base, tmp_path, monkeypatch):
    monkeypatch.setenv("PILOTBASE_ENDPOINT_ALLOW", "127.0.0.1")
    with served_by_the_sdk() as url:
        report = proven_from_afar(base, tmp_path, **Stub(None).endpoint("a2a", url=url)).report
    assert report.verdict is Verdict.ACCEPT, [(one.rule, one.estimate) for one in report.criteria]
    assert (report.endpoint.calls, report.endpoint.served) == (6 * 3, ("carrier 2026",))
    assert replay_trial(tmp_path / "out").verdict is Verdict.ACCEPT


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"interface": "mcp", "runtime": "command", "command": ["python", "a.py"]}, "Only an application in Python"),
        ({"interface": "act", "protocol": "openai_chat"}, "speaks openai_tools, openai_responses, a2a here"),
        ({"interface": "predict", "protocol": "openai_tools"}, "add ‘interface: act’"),
    ],
)
def test_an_interface_that_does_not_fit_is_told_when_the_manifest_is_read(change, told):
    protocol = change.pop("protocol", None)
    given = {
        "document": "application/1",
        "name": "far",
        "version": "1.0.0",
        "title": "Far",
        "supplier": {"organisation": "acme"},
        "licence": "MIT",
        "model_card": {"summary": "x"},
        **change,
    }
    if protocol is not None:
        period = {"since": "2026-01-01", "until": "2027-01-01"}
        where = {"protocol": protocol, "url": "https://a.example/v1", "model": "m", "period": period, "prompt": PROMPT}
        given |= {"runtime": "endpoint", "endpoint": where}
    with pytest.raises(InputError) as refused:
        build_document(Application, parse_yaml(json.dumps(given).encode(), "application.yaml"))
    assert told in refused.value.render("en")
