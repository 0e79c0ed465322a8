"""``pilotbase room``: rooms of a demand's owner and a supplier after a match."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pilotbase.cli.framework.declared import Command, OptionSpelling, add, call
from pilotbase.cli.framework.driving import Noun
from pilotbase.cli.framework.terminal import AsJson, answer, each, say
from pilotbase.documents.texts import text
from pilotbase.operations import rooms

if TYPE_CHECKING:
    from pilotbase.documents.api.exchange import RoomTold

app = Noun()
_WORDS = {"words": OptionSpelling(positional=True)}


@app.anywhere("share")
def share(room: str, file: Path, terms: str, as_json: AsJson = False) -> None:
    """Share a file on terms that the other side accepts before it can open it."""
    from pilotbase.documents.files import reading

    with reading(file):
        content = file.read_bytes()
    answer(call(rooms.SHARE, room=room, name=file.name, terms=terms, content=content), as_json, _print)


@app.anywhere("download")
def download(room: str, number: int, out: Path) -> None:
    """Download a file whose terms your side has accepted."""
    from pilotbase.documents.files import write_whole

    write_whole(out, call(rooms.FILE, room=room, number=number).content())
    say(text("room.saved", file=out))


def _print(found: RoomTold) -> None:
    _print_line(found)
    for one in found.entries:
        about = text("room.about", number=one.about) if one.about is not None else ""
        name = f"{one.file.name} – " if one.file is not None else ""
        kind = text(f"room.kind.{one.kind}")
        said = {"organisation": one.organisation, "kind": kind, "about": about, "words": f" {name}{one.words}"}
        say(text("room.entry_line", number=one.number, **said))
    for act, number in found.awaits:
        say(text("room.awaits_line", act=text(f"room.awaits.{act}"), number=number or ""))


def _print_line(found: RoomTold) -> None:
    said = {"demand": found.demand, "application": found.application, "state": text(f"room.state.{found.state}")}
    say(text("room.line", room=found.identity, **said))


add(
    app,
    Command("list", rooms.LIST, show=each(_print_line, text("room.none"))),
    Command("show", rooms.SHOW, show=_print),
    Command("open", rooms.OPEN, show=_print),
    Command("agree", rooms.AGREE, show=_print),
    Command("ask", rooms.ASK, show=_print, spelled=_WORDS),
    Command("answer", rooms.ANSWER, show=_print, spelled=_WORDS),
    Command("accept", rooms.ACCEPT, show=_print),
    Command("minutes", rooms.MINUTES, show=_print, spelled=_WORDS),
    Command("decide", rooms.DECIDE, show=_print, spelled=_WORDS),
    Command("confirm", rooms.CONFIRM, show=_print),
    Command("step", rooms.STEP, show=_print, spelled=_WORDS),
    Command("done", rooms.DONE, show=_print),
    Command("end", rooms.END, show=_print),
)
