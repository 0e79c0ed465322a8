"""An agent of the official MCP SDK: pays the fee and moves the parcel of the toy world, through the door at argv[2]."""

import asyncio
import json
import re
import sys

import httpx2
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client


async def play(task: str, door: str) -> None:
    """Do what the task says, and print what came back."""
    fee, goal = re.search(r"fee of (\d+).* the (\w+) room", task).groups()
    async with (
        httpx2.AsyncClient(transport=httpx2.AsyncHTTPTransport(uds=door)) as http,
        Client(streamable_http_client("http://127.0.0.1/mcp", http_client=http)) as client,
    ):
        names = [tool.name for tool in (await client.list_tools()).tools]
        early = await client.call_tool("move", {"room": goal})
        paid = await client.call_tool("pay", {"amount": int(fee)})
        moved = await client.call_tool("move", {"room": goal})
        said = {"names": names, "early": early.is_error, "paid": paid.structured_content, "moved": moved.is_error}
        print(json.dumps({**said, "version": client.protocol_version}))


asyncio.run(play(*sys.argv[1:]))
