"""Tools over MCP: what clients of both eras ask is answered as the specification says, and strangers' bytes too."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pilotbase.protocols.mcp_wire import LEGACY, VERSION, answer

META = {"io.modelcontextprotocol/protocolVersion": VERSION, "io.modelcontextprotocol/clientCapabilities": {}}


class Shop:
    name, version = "shop", "1.0.0"

    def tools(self):
        return [{"name": "price", "inputSchema": {"type": "object"}}]

    def call(self, name, arguments):
        return ({"name": name, "cents": 5, **arguments}, False) if name == "price" else ("no such tool", True)


def ask(method, params=None, identity=1, headers=None, meta=META):
    given_params = {**(params or {}), **({"_meta": meta} if meta else {})}
    message = {"jsonrpc": "2.0", "id": identity, "method": method, "params": given_params}
    return answer(json.dumps(message).encode(), Shop(), headers)


def test_a_client_of_today_names_its_version_with_each_request():
    found = ask("server/discover").message["result"]
    assert found["supportedVersions"][0] == VERSION and found["capabilities"] == {"tools": {}}
    assert found["_meta"]["io.modelcontextprotocol/serverInfo"] == {"name": "shop", "version": "1.0.0"}
    listed = ask("tools/list", identity="a").message
    assert listed["id"] == "a" and listed["result"]["tools"] == Shop().tools()
    called = ask("tools/call", {"name": "price", "arguments": {"of": "tea"}}).message["result"]
    assert called["resultType"] == "complete" and called["isError"] is False
    assert (
        called["structuredContent"]
        == {"name": "price", "cents": 5, "of": "tea"}
        == json.loads(called["content"][0]["text"])
    )
    failed = ask("tools/call", {"name": "steal"}).message["result"]
    assert failed["isError"] is True and failed["content"] == [{"type": "text", "text": "no such tool"}]


@pytest.mark.parametrize("version", LEGACY)
def test_an_older_client_agrees_on_a_version_once(version):
    agreed = ask("initialize", {"protocolVersion": version}, meta=None).message["result"]
    assert agreed["protocolVersion"] == version and agreed["serverInfo"]["name"] == "shop"
    begun = json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"}).encode()
    assert answer(begun, Shop()) == (202, None)
    assert "resultType" not in ask("tools/list", meta=None).message["result"]
    assert ask("ping", meta=None).message["result"] == {}


def test_a_version_that_nobody_speaks_is_told_which_ones_are_spoken():
    refused = ask("tools/list", meta={"io.modelcontextprotocol/protocolVersion": "1900-01-01"})
    assert refused.status == 400 and refused.message["error"]["code"] == -32022
    assert refused.message["error"]["data"] == {"supported": [VERSION, *LEGACY], "requested": "1900-01-01"}
    assert (
        ask("initialize", {"protocolVersion": "2031-01-01"}, meta=None).message["result"]["protocolVersion"]
        == LEGACY[0]
    )


def test_headers_have_to_agree_with_the_message():
    right = {"mcp-protocol-version": VERSION, "mcp-method": "tools/list"}
    assert ask("tools/list", headers=right).status == 200
    for wrong in ({**right, "mcp-method": "tools/call"}, {**right, "mcp-protocol-version": "2025-11-25"}, {}):
        refused = ask("tools/list", headers=wrong)
        assert (refused.status, refused.message["error"]["code"]) == (400, -32020)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, -32700),
        (b"[1]", 400, -32600),
        (b"[" * 100_000, 400, -32700),
        (b'{"jsonrpc":"1.0","id":1,"method":"ping"}', 400, -32600),
        (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', 400, -32600),
        (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', 400, -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[1]}', 400, -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"resources/list"}', 404, -32601),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":1}}', 400, -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"price","arguments":"x"}}', 400, -32602),
    ],
)
def test_what_is_no_request_is_refused_by_its_code(body, status, code):
    found = answer(body, Shop())
    assert (found.status, found.message["error"]["code"]) == (status, code)


@given(st.binary(max_size=200))
def test_no_bytes_make_it_fail(body):
    found = answer(body, Shop())
    assert found.status in (200, 202, 400, 404)
