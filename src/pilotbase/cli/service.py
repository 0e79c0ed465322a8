"""``pilotbase service``: put certified applications into service, move them, their keys, budgets and usage."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pilotbase.cli.edge.asking import asked
from pilotbase.cli.edge.driving import hub, is_remote, remote
from pilotbase.cli.edge.terminal import language, print_json, say
from pilotbase.documents.base import localized
from pilotbase.documents.errors import InputError
from pilotbase.documents.moments import spell_minute
from pilotbase.documents.subjects import commission_subject
from pilotbase.documents.texts import Text, text
from pilotbase.documents.vocabularies import ServingState

if TYPE_CHECKING:
    from pilotbase.documents.api.services import SeenBudget, SeenKey, SeenService, Services

app = typer.Typer(help="Certified applications behind the gateway: in this home, or on a hub.", no_args_is_help=True)
key_app = typer.Typer(help="Keys to a service.", no_args_is_help=True)
app.add_typer(key_app, name="key")

Service = Annotated[str, typer.Argument(help="Name of the service.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the document.")]
_PROTOCOL = re.compile(r"([a-z]+)\+(?=https?://)")
"""What stands before the address of an endpoint that speaks something else than OpenAI's protocol."""
Reason = Annotated[str, typer.Option(help="Why; it stands in the service's history.", prompt="Why")]


@app.command("create")
@remote
def create(
    name: Annotated[str, typer.Argument(help="Under which name it is called; one that serves gets a newer version.")],
    certificate: Annotated[str, typer.Option(help="Its certificate.json, or the certificate's number.")] = "",
    trial: Annotated[str, typer.Option(help="The trial that it came from, such as 7f3a9c.")] = "",
    title: Annotated[str, typer.Option(help="What people call it.")] = "",
    as_json: AsJson = False,
) -> None:
    """Put a certified application into service; anything that is not certified now is refused."""
    from pilotbase.documents.api.services import NewService

    number = _number(certificate) if certificate else None
    commission = commission_subject(trial.removeprefix("commission:")) if trial else None
    wanted = asked(NewService, name=name, title=title or None, certificate=number, commission=commission)
    _print(_services().create(wanted), as_json)


@app.command("list")
@remote
def list_all(as_json: AsJson = False) -> None:
    """List services and where each stands."""
    found = _services().all()
    if as_json:
        print_json([one.model_dump(mode="json", exclude_none=True) for one in found])
    elif not found:
        say(text("service.none"))
    for one in [] if as_json else found:
        state, title = Text(code=f"serving.{one.state}"), localized(one.title, language())
        say(text("service.line", name=one.name, title=title, state=state, answers=one.application))


@app.command("show")
@remote
def show(name: Service, as_json: AsJson = False) -> None:
    """Show a service: what answers, where it stands, and how it came there."""
    services = _services()
    seen = services.show(name)
    _print(seen, as_json)
    if not as_json and len(seen.service.routes) > 1:
        say(
            text(
                "service.versions", versions=[seen.service.answers(place) for place in range(len(seen.service.routes))]
            )
        )
    for one in [] if as_json else services.history(name):
        state = Text(code=f"serving.{one.state}")
        say(text("service.stood", at=spell_minute(one.at), state=state, reason=one.reason))


@app.command("terms")
@remote
def terms(
    name: Service,
    changes: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TERM=VALUE]...", help="Such as timeout_seconds=60 workers=2 ask_human=yes."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Set on which terms a service answers from its next call on; without TERM=VALUE show them."""
    from pilotbase.cli.edge.asking import asked
    from pilotbase.documents.service import ServiceTerms

    services, wanted = _services(), dict(map(_term, changes or ()))
    found = services.show(name).service.terms
    if wanted:
        found = services.set_terms(name, asked(ServiceTerms, **{**found.model_dump(), **wanted})).service.terms
    if as_json:
        print_json(found.to_json_value())
        return
    for term, value in found.model_dump().items():
        told = text("service.asks_human" if value else "service.asks_nobody") if term == "ask_human" else value
        say(text("service.term_line", term=term, what=Text(code=f"service.term.{term}"), value=told))


@app.command("stop")
@remote
def stop(name: Service, reason: Reason, as_json: AsJson = False) -> None:
    """Stop a service: its next call is refused."""
    _move(name, "stop", reason, as_json)


@app.command("start")
@remote
def start(name: Service, reason: Reason, as_json: AsJson = False) -> None:
    """Let the first version of a service answer again."""
    _move(name, "start", reason, as_json)


@app.command("fall-back")
@remote
def fall_back(name: Service, reason: Reason, as_json: AsJson = False) -> None:
    """Let the next earlier version answer that is certified; where there is none, a person, or nobody."""
    _move(name, "fall-back", reason, as_json)


@app.command("ask-human")
@remote
def ask_human(name: Service, reason: Reason, as_json: AsJson = False) -> None:
    """Hand every call over to a person."""
    _move(name, "ask-human", reason, as_json)


@app.command("override")
@remote
def override(
    name: Service,
    owner: Annotated[str, typer.Argument(help="Organisation whose service it is.")],
    endpoint: Annotated[str, typer.Option(help="Its address; oip+https://… for one of the Open Inference Protocol.")],
    model: Annotated[str, typer.Option(help="Name by which the endpoint knows the model.")],
    reason: Annotated[str, typer.Option(help="Why it may serve without a certificate; it is signed.", prompt="Why")],
    days: Annotated[int, typer.Option(help="For how many days.", min=1, max=90)] = 14,
) -> None:
    """Admit an endpoint that holds no certificate, for a time, on the operator's signed word."""
    from pilotbase.documents.api.services import NewOverride

    spoken = _PROTOCOL.match(endpoint)
    protocol, url = (spoken[1], endpoint[spoken.end() :]) if spoken else ("openai", endpoint)
    said = {"service": name, "organisation": owner, "protocol": protocol, "url": url, "model": model}
    _print(_services().override(asked(NewOverride, **said, reason=reason, days=days)), as_json=False)


@app.command("budget")
@remote
def budget(
    name: Service,
    budget_name: Annotated[str, typer.Argument(metavar="[BUDGET]", help="Which; without one all are shown.")] = "",
    calls: Annotated[int | None, typer.Option(help="At most so many calls in each period.", min=0)] = None,
    tokens: Annotated[int | None, typer.Option(help="At most so many tokens in each period.", min=0)] = None,
    period: Annotated[str, typer.Option(help="month or total.")] = "month",
    as_json: AsJson = False,
) -> None:
    """Set a budget that keys draw on, by --calls or --tokens; without these show where budgets stand."""
    from pilotbase.documents.api.services import NewBudget
    from pilotbase.workspace.failures import NotFoundError

    services = _services()
    if budget_name and (calls, tokens) != (None, None):
        wanted = asked(NewBudget, period=period, calls=calls, tokens=tokens)
        found = [services.set_budget(name, budget_name, wanted)]
    else:
        found = [one for one in services.budgets(name) if budget_name in ("", one.name)]
    if budget_name and not found:
        raise NotFoundError("service.no_budget", service=name, budget=budget_name)
    if as_json:
        print_json([one.model_dump(mode="json") for one in found])
    for one in [] if as_json else found:
        _print_budget(one)


@app.command("usage")
@remote
def usage(
    name: Service,
    days: Annotated[int, typer.Option(help="Of how many days.", min=1, max=400)] = 30,
    as_json: AsJson = False,
) -> None:
    """Show calls, cases and tokens by day and how the calls ended."""
    found = _services().usage(name, days)
    if as_json:
        print_json([one.model_dump(mode="json") for one in found])
    elif not found:
        say(text("service.unused"))
    for one in [] if as_json else found:
        end = Text(code=f"call.{one.end}")
        say(text("service.used", day=one.day.date(), end=end, calls=one.calls, cases=one.cases, tokens=one.tokens))


@key_app.command("create")
@remote
def create_key(
    name: Service,
    title: Annotated[str, typer.Option(help="Who or what calls with it.", prompt="Who or what calls with it")],
    scope: Annotated[list[str], typer.Option(help="What it opens: infer, observe; may be given twice.")] = ["infer"],  # noqa: B006
    budget_name: Annotated[str, typer.Option("--budget", help="Budget that its calls draw on.")] = "",
    days: Annotated[int, typer.Option(help="Days until it expires.", min=1, max=730)] = 90,
    as_json: AsJson = False,
) -> None:
    """Make a key and print it, once: it is generated, and kept as a hash only."""
    from pilotbase.documents.api.services import NewKey

    wanted = asked(NewKey, title=title, scopes=frozenset(scope), budget=budget_name or None, days=days)
    made = _services().create_key(name, wanted)
    if as_json:
        print_json(made.model_dump(mode="json", exclude_none=True))
        return
    say(text("service.secret_once"), err=True)
    typer.echo(made.secret)


@key_app.command("list")
@remote
def list_keys(name: Service, as_json: AsJson = False) -> None:
    """List the keys of a service, newest first, without their secrets."""
    found = _services().keys(name)
    if as_json:
        print_json([one.model_dump(mode="json", exclude_none=True) for one in found])
    elif not found:
        say(text("service.no_keys"))
    for one in [] if as_json else found:
        _print_key(one)


@key_app.command("revoke")
@remote
def revoke_key(
    name: Service, key: Annotated[str, typer.Argument(help="The key, as `pilotbase service key list` names it.")]
) -> None:
    """Let a key open nothing from its next call on."""
    _services().revoke_key(name, key)
    say(text("service.key_withdrawn", key=key))


def _services() -> Services:
    """Return the services of the hub that was named, else of this home."""
    if is_remote():
        from pilotbase.protocols.hub_services import HubServices

        return HubServices(hub().requests)
    from pilotbase.worker.base import open_base
    from pilotbase.worker.services.acts import BaseServices

    base = open_base()
    return BaseServices(base, base.lab.view)


def _term(spelled: str) -> tuple[str, str]:
    """Return name and value of ``workers=2``."""
    term, separator, value = spelled.partition("=")
    if not separator:
        raise InputError("service.no_term", found=spelled)
    return term, value


def _move(name: str, move: str, reason: str, as_json: bool) -> None:
    from pilotbase.documents.api.services import ServiceMove

    _print(_services().move(name, ServiceMove(move), reason), as_json)


def _number(certificate: str) -> str:
    """Return the number of a certificate that was given as such or as a file."""
    from pilotbase.certificate import Envelope, read_evidence
    from pilotbase.certificate.bounded_json import CERTIFICATE, parse_model
    from pilotbase.certificate.statement import read_statement
    from pilotbase.documents.hashes import digest_of, hex_of, is_digest

    number = digest_of(hex_of(certificate))
    if is_digest(number):
        return number
    envelope = parse_model(Envelope, read_evidence(Path(certificate)), CERTIFICATE)
    return read_statement(envelope.content()).serial


def _print(seen: SeenService, as_json: bool) -> None:
    if as_json:
        print_json(seen.model_dump(mode="json", by_alias=True, exclude_none=True))
        return
    service, standing = seen.service, seen.standing
    state, title = Text(code=f"serving.{standing.state}"), localized(service.title, language())
    answers = service.answers(standing.route)
    say(text("service.line", name=service.name, title=title, state=state, answers=answers))
    for one in seen.held:
        say(text(f"service.held_{one.why}", version=service.answers(one.route)))
    if standing.state in (ServingState.SERVING, ServingState.FALLEN_BACK) and seen.answering != standing.route:
        instead = None if seen.answering is None else service.answers(seen.answering)
        say(text("service.answered_by", version=instead) if instead else text("service.answered_by_none"))


def _print_budget(one: SeenBudget) -> None:
    params = {"name": one.name, "period": one.current}
    for unit, bound, used, held in (
        ("calls", one.calls, one.used_calls, one.held_calls),
        ("tokens", one.tokens, one.used_tokens, one.held_tokens),
    ):
        if bound is not None:
            word = Text(code=f"service.unit.{unit}")
            say(text("service.budget_line", **params, unit=word, used=used, held=held, bound=bound))


def _print_key(one: SeenKey) -> None:
    revoked = text("service.key_is_revoked") if one.revoked_at else ""
    line = {"key": one.identity, "prefix": one.prefix, "title": one.title, "expires": one.expires_at.date()}
    say(text("service.key_line", **line, scopes=" ".join(one.scopes), budget=one.budget or "–", revoked=revoked))
