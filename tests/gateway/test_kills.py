"""A gateway that is ended by kill -9 in the middle of calls: no answered call is lost, and no budget overspent."""

import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import aiohttp
import pytest

from pilotbase.documents.vocabularies import CallEnd
from pilotbase.service.draining import drain
from pilotbase.service.journal import journals_of
from pilotbase.service.terms import list_budgets
from tests.gateway.gateways_for_tests import CASE

COMMAND = [sys.executable, "-c", "from pilotbase.cli import main; main()", "gateway", "--port"]
ROUNDS, CALLS = 4, 40


class Gateway:
    """``pilotbase gateway`` as a process of its own."""

    def __init__(self, home):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        environment = {**os.environ, "PILOTBASE_HOME": str(home), "PILOTBASE_HUB_LOG": "plain"}
        self.process = subprocess.Popen([*COMMAND, str(port)], env=environment, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"{self.url}/health/ready", timeout=2).close()
                return
            except OSError:
                time.sleep(0.1)
        raise AssertionError("the gateway did not start")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def call_until_killed(gateway, key, service, prefix, seconds):
    """Send calls, eight at a time, kill the gateway in the midst of them; return the names of those answered."""
    answered = []

    async def one(session, number, gate):
        body = {"model": service, "messages": [{"role": "user", "content": json.dumps(CASE)}]}
        async with gate:
            try:
                url, named = f"{gateway.url}/v1/chat/completions", {"X-Request-Id": f"{prefix}-{number}"}
                async with session.post(url, json=body, headers=named) as response:
                    if response.status == 200 and await response.json():
                        answered.append(f"{prefix}-{number}")
            except aiohttp.ClientError:
                return

    async def all_of_them():
        gate = asyncio.Semaphore(8)
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as session:
            calls = [asyncio.ensure_future(one(session, number, gate)) for number in range(CALLS)]
            await asyncio.sleep(seconds)
            gateway.kill()
            await asyncio.gather(*calls)

    asyncio.run(all_of_them())
    return answered


@pytest.mark.prove
def test_kill_9_loses_no_answered_call_and_never_overspends(place, name):
    place.serve(name)
    place.budget("few", name, calls=ROUNDS * CALLS)
    key, view = place.key(name, budget="few"), place.base.lab.view
    answered, batches, chance = [], [], random.Random(7)
    for number in range(ROUNDS):
        gateway = Gateway(place.base.home.path)
        answered += call_until_killed(gateway, key, name, f"round{number}", chance.uniform(0.05, 0.6))
    gateway = Gateway(place.base.home.path)  # takes back what the killed ones held
    gateway.process.send_signal(signal.SIGTERM)
    assert gateway.process.wait(30) in (0, -signal.SIGTERM)
    drain(view, journals_of(place.base.home.path), batches.extend)
    kept = [case for batch in batches if batch.service == name and batch.end is CallEnd.ANSWERED for case in batch.ids]
    assert answered
    assert len(kept) == len(set(kept))
    assert set(answered) <= set(kept)
    (budget,) = list_budgets(view, name)
    assert budget.held_calls == 0
    assert len(answered) <= budget.used_calls <= len(answered) + ROUNDS * 8


@pytest.mark.prove
def test_told_to_end_it_answers_what_is_under_way(place, name):
    place.serve(name)
    key, gateway = place.key(name), Gateway(place.base.home.path)
    slow = json.dumps({**CASE, "pressure": 6.25})

    async def ask():
        async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {key}"}) as session:
            url = f"{gateway.url}/v1/chat/completions"
            for content in (json.dumps(CASE), slow):
                body = {"model": name, "messages": [{"role": "user", "content": content}]}
                call = asyncio.ensure_future(session.post(url, json=body))
                if content == slow:
                    await asyncio.sleep(0.5)
                    gateway.process.send_signal(signal.SIGTERM)
                async with await call as response:
                    assert response.status == 200
        return True

    assert asyncio.run(ask())
    assert gateway.process.wait(30) in (0, -signal.SIGTERM)
