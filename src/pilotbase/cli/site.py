"""``pilotbase site``: trials on a machine of the data's owner. ``offer`` and ``run`` there; the others at the base."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pilotbase.cli.edge.terminal import EXIT_CODES, command, print_json, progress_shown, say
from pilotbase.documents.texts import text

app = typer.Typer(help="Site trials: the data stay at their owner's, a signed report comes back.", no_args_is_help=True)

Scenarios = Annotated[list[Path], typer.Argument(help="Folders of the scenarios, with their data.")]
Name = Annotated[str, typer.Argument(help="The site's name.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the documents.")]


@app.command("offer")
@command
def offer(
    scenarios: Scenarios,
    out: Annotated[Path, typer.Option("--out", help="The file to write, for the base.")] = Path("site-enrolment.json"),
    figures: Annotated[
        str, typer.Option(help="What may leave: rounded (two digits, no bounds) or bounds (exact, with groups).")
    ] = "rounded",
    smallest_cell: Annotated[int, typer.Option(help="No figure leaves that rests on fewer cases.")] = 10,
) -> None:
    """At the site: seal scenarios, and write who this site is and what it has, without a row of data."""
    from pilotbase.documents.hashes import digest_bytes
    from pilotbase.worker.base import open_base
    from pilotbase.worker.sites.enrolling import enrolment_lines, look_at_enrolment
    from pilotbase.worker.sites.offering import offer_scenarios, release_of
    from pilotbase.worker.whole_files import write_whole

    with progress_shown() as on_progress:
        signed = offer_scenarios(open_base(), scenarios, release_of(figures, smallest_cell), on_progress)
    write_whole(out, signed)
    for line in enrolment_lines(look_at_enrolment(out)):
        say(line)
    say(text("site.offered", file=out, digest=digest_bytes(signed)))


@app.command("enrol")
@command
def enrol(
    file: Annotated[Path, typer.Argument(help="The site's site-enrolment.json.")],
    key: Annotated[
        str, typer.Option(help="The site's key as its owner has told it by another way; without it, say what it is.")
    ] = "",
) -> None:
    """At the base: take in a site, or what it newly offers, once its key is the one that its owner names."""
    from pilotbase.worker.base import open_base
    from pilotbase.worker.sites.enrolling import enrol_site, enrolment_lines, look_at_enrolment

    base = open_base()
    for line in enrolment_lines(look_at_enrolment(file)):
        say(line)
    if not key:
        say(text("site.not_enrolled_yet"))
        return
    site = enrol_site(base, base.lab.view, file, key)
    say(text("site.enrolled", site=site.site, owner=site.owner))


@app.command("list")
@command
def list_sites(as_json: AsJson = False) -> None:
    """At the base: the sites, whose they are, and what they have sealed."""
    from pilotbase.worker.base import open_base
    from pilotbase.worker.sites.enrolling import known_sites, site_lines

    sites = known_sites(open_base().lab.view)
    if as_json:
        print_json([site.standing.to_json_value() for site in sites])
        return
    for site in sites:
        for line in site_lines(site):
            say(line)


@app.command("run")
@command
def run(  # noqa: PLR0913 - a command's options
    pack: Annotated[Path, typer.Argument(help="The pack that the base has sent.")],
    scenario: Annotated[Path, typer.Argument(help="The scenario's folder, with its data.")],
    trust: Annotated[Path, typer.Option(help="The base's trust-roots.json, taken from the base itself.")],
    watched_by: Annotated[
        str,
        typer.Option(help="Name of the person who watches the run here; it stands on the certificate.", prompt=True),
    ],
    organisation: Annotated[str, typer.Option(help="Short name of that person's organisation.", prompt=True)],
    out: Annotated[
        Path | None, typer.Option("--out", help="The file to write; default: named by scenario and application.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """At the site, offline: check a pack, rehearse, freeze, run, and sign what may leave. Exit codes as of a trial."""
    from pilotbase.worker.base import open_base
    from pilotbase.worker.sites.running import SiteOrder, run_pack, witness_of
    from pilotbase.worker.trials.summary import report_lines

    order = SiteOrder(pack, scenario, trust, witness_of(watched_by, organisation), out)
    with progress_shown(as_json) as on_progress:
        ran = run_pack(open_base(), order, on_progress)
    if as_json:
        print_json(ran.released.paper.report.to_json_value())
    else:
        for line in report_lines(ran.report, ran.folder):
            say(line)
    say(text("site.ran", file=ran.file, person=ran.released.paper.release.witness.name), err=as_json)
    raise typer.Exit(EXIT_CODES[ran.report.verdict])


@app.command("take-back")
@command
def take_back(
    file: Annotated[Path, typer.Argument(help="The report that the site has signed.")],
    out: Annotated[
        Path | None, typer.Option("--out", help="Where to write; default: trials/sites/ in PILOTBASE_HOME.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """At the base: examine a site's report, every problem at once, keep it and certify it. Again changes nothing."""
    from pilotbase.worker.base import open_base
    from pilotbase.worker.sites.taking_back import take_back as take_report_back
    from pilotbase.worker.sites.taking_back import taken_lines
    from pilotbase.worker.trials.summary import report_lines

    base = open_base()
    asked_at = base.lab.store.clock()
    taken = take_report_back(base, file, out)
    if as_json:
        print_json(taken.issued.certificate.to_json_value())
    else:
        for line in (*report_lines(taken.report, taken.folder), *taken_lines(base, taken, asked_at)):
            say(line)
    raise typer.Exit(EXIT_CODES[taken.report.verdict])


@app.command("revoke")
@command
def revoke(
    site: Name,
    reason: Annotated[str, typer.Option(help="Why, in a sentence; it is kept.", prompt="Why")] = "",
) -> None:
    """At the base: take nothing more from a site. Certificates over its earlier trials stay; revoke them one by one."""
    from pilotbase.worker.base import open_base
    from pilotbase.worker.sites.enrolling import revoke_site

    revoked = revoke_site(open_base().lab.view, site, reason)
    say(text("site.revoked_now", site=revoked.site))
