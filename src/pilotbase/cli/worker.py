"""``pilotbase worker``: the process that does what is queued."""

from __future__ import annotations

import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.framework.driving import open_base
from pilotbase.cli.framework.terminal import command, exit_when_terminated, keep_log, say
from pilotbase.documents.plugins import mirrored
from pilotbase.documents.texts import Text, text

if TYPE_CHECKING:
    from pilotbase.hub.configuration import HubConfiguration
    from pilotbase.worker.reactions.noticing import Ways
    from pilotbase.worker.rounds import Rounds


@command
def worker(
    once: bool = False,
    name: str | None = None,
    lease: Annotated[int, typer.Option(min=1, max=3600)] = 30,
    engine: str = "local",
) -> None:
    """Do queued jobs (rehearsals, trials, certificates), react to warnings and send notices. Resumes after a kill."""
    from pilotbase.hub.configuration import HubConfiguration
    from pilotbase.worker.jobs.retention import sweeping
    from pilotbase.worker.jobs.worker import JobWorker, default_name
    from pilotbase.worker.meanings import TextReader, reading_texts
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
    exit_when_terminated(stop)
    base, configuration = open_base(create=True, engine=engine), HubConfiguration.from_environment()
    ours, noticing = JobWorker(base, name or default_name(), lease, tell), Noticing(base, _ways(configuration))
    reactions = Reactions(base)
    beside: list[Rounds] = [module.rounds_of(base, ours.name) for module in mirrored("worker.rounds")]
    if not once:
        keep_log()
        say(text("job.worker_ready", name=ours.name))
        observed, swept = taking_in(base, taking(base)), sweeping(base, configuration.files_days)
        with running(noticing), swept, observed, watching(base), asking_canaries(base), ExitStack() as added:
            for one in beside:
                added.enter_context(one.running())
            with reacting_to_changes(reactions), reading_texts(base):
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
    while TextReader(base).round():
        pass


def _go_round(beside: list[Rounds]) -> bool:
    """Go a round of every plug-in; return whether anything was done."""
    return any([one.once() for one in beside])


def _ways(configuration: HubConfiguration) -> Ways:
    """Return how notices go out by the settings of the hub; mails where there are people with accounts."""
    from pilotbase.hub.serving.accounts import start_accounts
    from pilotbase.protocols.guarded_http import GuardedHttp
    from pilotbase.worker.reactions.noticing import Ways

    post = None
    if start_accounts(configuration):
        from pilotbase.hub.people.postman import Postman

        post = Postman(configuration)
    return Ways(post, GuardedHttp(configuration.webhook_allow), configuration.digest_hour, configuration.url)
