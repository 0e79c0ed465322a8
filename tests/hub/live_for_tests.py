"""A hub of this process that answers over a real connection, and tokens for it."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from worlds_for_tests import World

from pilotbase.documents.hashes import hash_secret


@contextmanager
def listening(world: World) -> Iterator[str]:
    """Serve ``world`` on a port of this machine until the end of the block; yields its address."""
    import uvicorn

    from pilotbase.hub.asgi import application

    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)


def token_of(world: World, who: str, scope: str = "write") -> str:
    """Return the secret of a new token of a person."""
    from django.utils import timezone

    from pilotbase.hub.models import ApiToken, Membership
    from pilotbase.hub.people import tokens

    person = world.people[who]
    secret = tokens.new_secret("pilot")
    ApiToken.objects.create(
        person=person,
        organisation=Membership.objects.get(person=person).organisation,
        label="test",
        scope=scope,
        secret_hash=hash_secret(secret),
        expires_at=timezone.now() + timedelta(days=1),
    )
    return secret
