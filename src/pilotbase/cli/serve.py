"""``pilotbase serve | gateway``: the hub and the gateway of a base."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.demo import take_walk
from pilotbase.cli.framework.driving import open_base
from pilotbase.cli.framework.terminal import command, exit_when_terminated, keep_log, say, shown, warn
from pilotbase.documents.errors import InputError, PilotbaseError
from pilotbase.documents.plugins import mirrored
from pilotbase.documents.texts import Text, text

if TYPE_CHECKING:
    from pilotbase.hub.serving.serving import BindAddress
    from pilotbase.worker.base import Base


@command
def serve(  # noqa: PLR0913 - each is an option
    host: str = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535)] = 8000,
    check: bool = False,
    invite: str | None = None,
    demo: bool = False,
    worker: Annotated[bool, typer.Option("--worker/--no-worker")] = True,
    gateway: Annotated[bool, typer.Option("--gateway/--no-gateway")] = True,
    gateway_port: Annotated[int | None, typer.Option(min=1, max=65_535)] = None,
    engine: str = "local",
) -> None:
    """Run the hub (pages, and the API under /api/), together with the gateway and a worker for queued jobs."""
    from pilotbase.hub.serving import serving
    from pilotbase.sandbox.engines import require_engine

    require_engine(engine)
    place, beside = serving.BindAddress(host, port), serving.BindAddress(host, gateway_port or port + 1)
    if check:
        _check(place, beside if gateway else None)
        return
    if invite is None:  # filling takes minutes and makes passwords: what would keep it from listening is told before
        serving.require_free(place)
        if gateway:
            _require_gateway(beside)
    if demo:
        from pilotbase.workspace.home import home_path

        say(text("cli.demo_base", home=home_path()), err=True)
    serving.configure(place)
    new = serving.is_to_be_made()
    if demo and new:
        _prepare_with_past()
    else:
        serving.prepare()
    from pilotbase.hub.people.invitations import invite_operator, is_empty

    if invite is not None:
        typer.echo(invite_operator(invite))
        return
    if demo:
        _fill(new)
    elif is_empty():
        say(text("hub.check_nobody"))
    if worker:
        _require_engine_of_jobs(engine)
    serving.when_listening(place, lambda: say(text("cli.hub_at", url=place.url)))
    exit_when_terminated()  # so that what is kept running ends first
    with ExitStack() as running:
        if worker:
            running.enter_context(serving.kept_running("worker", "--engine", engine))
        if gateway:
            serving.name_gateway(beside)
            words = ("gateway", "--host", beside.host, "--port", str(beside.port))
            running.enter_context(serving.kept_running(*words))
            serving.when_listening(beside, lambda: say(text("gateway.at", url=beside.url)))
        serving.run(place)


@command
def gateway(
    host: str = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535)] = 8001,
    grpc_port: Annotated[int | None, typer.Option(min=1, max=65_535)] = None,
) -> None:
    """Run the gateway for the services of PILOTBASE_HOME: OpenAI (/v1), Open Inference Protocol (/v2, gRPC)."""
    from pilotbase.gateway.app import run
    from pilotbase.gateway.configuration import GatewayConfiguration
    from pilotbase.hub.serving.serving import BindAddress, require_free, when_listening

    place, configuration = BindAddress(host, port), GatewayConfiguration.from_environment()
    require_free(place)
    if grpc_port is not None:
        require_free(BindAddress(host, grpc_port))
    base = open_base()
    keep_log()
    when_listening(place, lambda: say(text("gateway.at", url=place.url)))
    run(base.lab, configuration, host, port, grpc_port)


def _require_engine_of_jobs(engine: str) -> None:
    from pilotbase.hub.base import base

    for module in mirrored("worker.rounds"):
        module.require_engine(base().lab.view, engine)


def _prepare_with_past() -> None:
    from pilotbase.hub.serving import serving
    from pilotbase.worker.demo.past import clock_of_past, play

    clock = clock_of_past()

    def play_past(base: Base) -> None:
        from pilotbase.hub.demo import make_accounts

        with _opening_anyway():
            for step in play(base, make_accounts(base.trust.issuer)[0], clock):
                say(step, err=True)

    serving.prepare(clock, play_past)


@contextmanager
def _opening_anyway() -> Iterator[None]:
    """Print what prevents the filling, such as no network for the examples' data: the hub still opens."""
    try:
        yield
    except PilotbaseError as error:
        typer.echo(shown(error), err=True)


def _fill(new: bool) -> None:
    from pilotbase.hub.base import base
    from pilotbase.hub.demo import make_accounts, require_own_ground
    from pilotbase.hub.models import Person
    from pilotbase.worker.demo.market import fill_market
    from pilotbase.worker.demo.records import fill

    require_own_ground()
    before = set(Person.objects.values_list("email", flat=True))
    cast, accounts = make_accounts(base().trust.issuer)
    with _opening_anyway():
        take_walk(base(), cast, err=True)
        for step in fill(base(), cast):
            say(step, err=True)
        say(text("hub.demo_market"), err=True)
        fill_market(base(), cast)
    if not new and any(account.email in before for account in accounts):
        say(text("cli.hub_passwords_new"), err=True)
    for account in accounts:
        role = Text(code=f"role.{account.role}")
        say(text("cli.hub_account", role=role, email=account.email, password=account.password))


def _check(place: BindAddress, gateway: BindAddress | None) -> None:
    from pilotbase.hub.serving import serving

    found = list(serving.problems(place))
    if gateway is not None:
        found += _problems_of_gateway(gateway)
    for problem in found:
        warn(problem)
    if found:
        raise typer.Exit(2)
    say(text("cli.hub_checked"))
    for shortcoming in serving.shortcomings():
        say(shortcoming)


def _problems_of_gateway(place: BindAddress) -> list[Text]:
    try:
        _require_gateway(place)
    except InputError as error:
        issues = [text("hub.check_problem", path=issue.path, problem=issue.problem) for issue in error.issues]
        return issues or [error.text, error.hint]
    return []


def _require_gateway(place: BindAddress) -> None:
    """Return if a gateway can listen at ``place`` under the settings that there are; raises `InputError`."""
    from pilotbase.gateway.configuration import GatewayConfiguration
    from pilotbase.hub.serving.serving import require_free

    GatewayConfiguration.from_environment()
    require_free(place)
