"""``pilotbase serve | worker | gateway``: the processes of a base."""

from __future__ import annotations

import signal
import sys
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.demo import take_walk
from pilotbase.cli.edge.terminal import command, say, shown, warn
from pilotbase.documents.errors import InputError, PilotbaseError
from pilotbase.documents.plugins import mirrored
from pilotbase.documents.texts import Text, text

if TYPE_CHECKING:
    from pilotbase.hub.process.serving import BindAddress
    from pilotbase.worker.reactions.noticing import Ways
    from pilotbase.worker.rounds import Rounds


@command
def serve(  # noqa: PLR0913 - each is an option
    host: Annotated[str, typer.Option(help="Where to listen; beyond this machine only behind https.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65_535)] = 8000,
    check: Annotated[bool, typer.Option("--check", help="Say what keeps it from serving, and exit.")] = False,
    invite: Annotated[
        str | None, typer.Option(help="Make an invitation link for an operator with this mail address, and exit.")
    ] = None,
    demo: Annotated[
        bool, typer.Option("--demo", help="Fill it with the examples; print one account a role, with new passwords.")
    ] = False,
    worker: Annotated[
        bool, typer.Option("--worker/--no-worker", help="Also run a worker that does what is queued.")
    ] = True,
    gateway: Annotated[
        bool, typer.Option("--gateway/--no-gateway", help="Also run the gateway, which answers the calls of services.")
    ] = True,
    gateway_port: Annotated[
        int | None, typer.Option(help="Port of the gateway; default: the next after the hub's.", min=1, max=65_535)
    ] = None,
    engine: Annotated[str, typer.Option(help="Where the worker opens boxes and jobs run: local, or ray.")] = "local",
) -> None:
    """Serve the hub: pages, the API under /api/; beside it the gateway, and the worker that runs what is queued."""
    from pilotbase.hub.process import serving
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
    serving.prepare()
    if invite is not None:
        from pilotbase.hub.people.invitations import invite_operator

        typer.echo(invite_operator(invite))
        return
    if demo:
        _fill()
    if worker:
        _require_engine_of_jobs(engine)
    serving.when_listening(place, lambda: say(text("cli.hub_at", url=place.url)))
    _exit_when_terminated()  # so that what is kept running ends first
    with ExitStack() as running:
        if worker:
            running.enter_context(serving.kept_running("worker", "--engine", engine))
        if gateway:
            words = ("gateway", "--host", beside.host, "--port", str(beside.port))
            running.enter_context(serving.kept_running(*words))
            serving.when_listening(beside, lambda: say(text("gateway.at", url=beside.url)))
        serving.run(place)


def _exit_when_terminated(stop: threading.Event | None = None) -> None:
    """Leave by `SystemExit` at SIGTERM; a loop that looks at ``stop`` ends even if a finaliser swallows the exit."""

    def leave(*_: object) -> None:
        if stop is not None:
            stop.set()
        sys.exit(0)

    signal.signal(signal.SIGTERM, leave)


@command
def worker(
    once: Annotated[bool, typer.Option("--once", help="Do what is queued, then end.")] = False,
    name: Annotated[
        str | None, typer.Option(help="Name of this worker, to be told from others; default: host and process.")
    ] = None,
    lease: Annotated[
        int, typer.Option(help="Seconds after which another worker takes over from a silent one.", min=1, max=3600)
    ] = 30,
    engine: Annotated[str, typer.Option(help="Where boxes are opened and jobs run: local, or ray.")] = "local",
) -> None:
    """Do queued jobs, react to warnings, send notices: rehearse, run trials, certify. Killed, it goes on."""
    from pilotbase.worker.base import open_base
    from pilotbase.worker.jobs.retention import sweeping
    from pilotbase.worker.jobs.worker import JobWorker, default_name
    from pilotbase.worker.reactions.feed import Reactions, reacting_to_changes
    from pilotbase.worker.reactions.noticing import Noticing, running
    from pilotbase.worker.services.watching import take_in, taking, taking_in, watch_round, watching
    from pilotbase.worker.trials.canary_rounds import asking_canaries
    from pilotbase.workspace.jobs import Job, JobState

    def tell(job: Job, state: JobState) -> None:
        kind, ended = Text(code=f"job.kind.{job.kind}"), Text(code=f"job.state.{state}")
        say(text("job.line", number=job.identity, kind=kind, subject=job.subject, state=ended))
        if state is JobState.QUEUED and job.reason is not None:
            say(job.reason)

    stop = threading.Event()
    _exit_when_terminated(stop)
    base = open_base(create=True, engine=engine)
    ours, noticing = JobWorker(base, name or default_name(), lease, tell), Noticing(base, _ways())
    reactions = Reactions(base)
    beside: list[Rounds] = [module.rounds_of(base, ours.name) for module in mirrored("worker.rounds")]
    if not once:
        _keep_log()
        say(text("job.worker_ready", name=ours.name))
        observed, swept = taking_in(base, taking(base)), sweeping(base, _files_days())
        with running(noticing), swept, observed, watching(base), asking_canaries(base), ExitStack() as added:
            for one in beside:
                added.enter_context(one.running())
            with reacting_to_changes(reactions):
                ours.work(stop)
        return
    take_in(base, taking(base))
    _go_round(beside)
    while watch_round(base):
        pass
    while reactions.round():
        pass
    while (done := ours.work_once()) is not None:
        if done[1] is JobState.QUEUED and not _go_round(beside):
            break
    _go_round(beside)
    while noticing.round():
        pass


@command
def gateway(
    host: Annotated[str, typer.Option(help="Where to listen; beyond this machine only behind https.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=1, max=65_535)] = 8001,
) -> None:
    """Serve the services of PILOTBASE_HOME: /v1 (OpenAI), /v2 (Open Inference Protocol). `serve` starts one too."""
    from pilotbase.gateway.app import run
    from pilotbase.gateway.configuration import GatewayConfiguration
    from pilotbase.hub.process.serving import BindAddress, require_free, when_listening
    from pilotbase.worker.base import open_base

    place, configuration = BindAddress(host, port), GatewayConfiguration.from_environment()
    require_free(place)
    base = open_base()
    _keep_log()
    when_listening(place, lambda: say(text("gateway.at", url=place.url)))
    run(base.lab, configuration, host, port)


def _require_engine_of_jobs(engine: str) -> None:
    from pilotbase.hub.base import base

    for module in mirrored("worker.rounds"):
        module.require_engine(base().lab.view, engine)


def _fill() -> None:
    from pilotbase.hub.base import base
    from pilotbase.hub.demo import make_accounts, require_own_ground
    from pilotbase.hub.models import Person
    from pilotbase.worker.demo.records import fill

    require_own_ground()
    before = set(Person.objects.values_list("email", flat=True))
    cast, accounts = make_accounts(base().trust.issuer)
    try:
        take_walk(base(), cast, err=True)
        for step in fill(base(), cast):
            say(step, err=True)
    except PilotbaseError as error:  # such as no network for the examples' data: the hub still opens
        typer.echo(shown(error), err=True)
    if any(account.email in before for account in accounts):
        say(text("cli.hub_passwords_new"), err=True)
    for account in accounts:
        role = Text(code=f"role.{account.role}")
        say(text("cli.hub_account", role=role, email=account.email, password=account.password))


def _check(place: BindAddress, gateway: BindAddress | None) -> None:
    from pilotbase.hub.process import serving

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
    from pilotbase.hub.process.serving import require_free

    GatewayConfiguration.from_environment()
    require_free(place)


def _go_round(beside: list[Rounds]) -> bool:
    """Go a round of every plug-in; return whether anything was done."""
    return any([one.once() for one in beside])


def _files_days() -> int:
    from pilotbase.hub.configuration import HubConfiguration

    return HubConfiguration.from_environment().files_days


def _ways() -> Ways:
    """Return how notices go out by the settings of the hub; mails where there are people with accounts."""
    from pilotbase.hub.configuration import HubConfiguration
    from pilotbase.hub.process.accounts import start_accounts
    from pilotbase.protocols.guarded_http import GuardedHttp
    from pilotbase.worker.reactions.noticing import Ways

    configuration, post = HubConfiguration.from_environment(), None
    if start_accounts(configuration):
        from pilotbase.hub.people.postman import Postman

        post = Postman(configuration)
    return Ways(post, GuardedHttp(configuration.webhook_allow), configuration.digest_hour, configuration.url)


def _keep_log() -> None:
    """Write a structured log to standard error, as the hub does."""
    from logging.config import dictConfig

    from pilotbase.hub.configuration import HubConfiguration
    from pilotbase.hub.logging import logging_settings

    dictConfig(logging_settings(HubConfiguration.from_environment().log))
