"""The pictures of the reader's page, in both languages: verdicts, what the score is about, attempts."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pilotbase.charts.drawing import AMBER, BLUE, GREEN, HAIR, INK, LINE, MUTED, PALE_BLUE, PALE_GREEN, RED, Drawing
from pilotbase.documents.texts import LANGUAGES

Words = Mapping[str, tuple[str, str]]
"""English and Chinese by name."""

_VERDICTS: Words = {
    "title": ("The interval against the threshold", "区间与阈值"),
    "threshold": ("threshold 0.90", "阈值 0.90"),
    "accept": ("accept", "通过"),
    "accept_why": ("all of it lies above", "整个区间在阈值之上"),
    "reject": ("reject", "不通过"),
    "reject_why": ("all of it lies below", "整个区间在阈值之下"),
    "open": ("inconclusive", "尚无定论"),
    "open_why": ("it holds the threshold", "区间包含阈值"),
}
_ESTIMANDS: Words = {
    "title": ("What the score is about", "得分说的是什么"),
    "set": ("hidden set", "隐藏集"),
    "set_why": ("these cases and no others", "仅指这些案例"),
    "population": ("population", "总体"),
    "population_why": ("cases drawn like these", "以同样方式抽取的案例"),
    "run": ("run", "本次运行"),
    "run_why": ("this machine, this load", "这台机器、这一负载"),
}
_ATTEMPTS: Words = {
    "title": ("Every attempt scores cases never scored before", "每次测试只对从未评过分的案例评分"),
    "attempt": ("attempt {j}", "第 {j} 次"),
    "left": ("not yet scored", "尚未评分"),
    "sum": ("all attempts together: at most α", "全部测试合计：至多 α"),
}


def pictures() -> dict[str, str]:
    """Return file name → SVG of every picture in every language."""
    drawn: dict[str, Callable[[Callable[..., str]], str]] = {
        "verdicts": _verdicts, "estimands": _estimands, "attempts": _attempts,
    }  # fmt: skip
    words = {"verdicts": _VERDICTS, "estimands": _ESTIMANDS, "attempts": _ATTEMPTS}
    return {
        f"reader-{name}.{language}.svg": draw(_speaker(words[name], place)) + "\n"
        for name, draw in drawn.items()
        for place, language in enumerate(LANGUAGES)
    }


def _speaker(words: Words, place: int) -> Callable[..., str]:
    return lambda name, **values: words[name][place].format(**values)


def _verdicts(say: Callable[..., str]) -> str:
    drawing = Drawing(
        680, 104, say("title"), "; ".join(f"{say(k)}: {say(k + '_why')}" for k in ("accept", "reject", "open"))
    )
    at = 330.0
    drawing.text((at, 14), say("threshold"), anchor="middle", bold=True)
    drawing.line((at, 22), (at, 100), INK, 1.5, "4 3")
    for row, (name, colour, low, high) in enumerate(
        (("accept", GREEN, 350, 450), ("reject", RED, 190, 300), ("open", AMBER, 255, 385))
    ):
        y = 36.0 + 25 * row
        drawing.text((110, y + 4), say(name), anchor="end", colour=colour, bold=True, size=14)
        drawing.line((130, y), (500, y), HAIR, 1)
        drawing.line((low, y), (high, y), colour, 5)
        for end in (low, high):
            drawing.line((end, y - 7), (end, y + 7), colour, 2)
        drawing.circle(((low + high) / 2, y), 5, colour, "#ffffff", 1.5)
        drawing.text((514, y + 4), say(name + "_why"), colour=MUTED)
    return drawing.to_svg()


def _estimands(say: Callable[..., str]) -> str:
    names = ("set", "population", "run")
    drawing = Drawing(680, 132, say("title"), "; ".join(f"{say(k)}: {say(k + '_why')}" for k in names))
    for column, name in enumerate(names):
        left = 10.0 + 228 * column
        drawing.text((left + 100, 14), say(name), anchor="middle", bold=True, size=14)
        drawing.text((left + 100, 124), say(name + "_why"), anchor="middle", colour=MUTED)
    _box_of_dots(drawing, 60, BLUE)
    _cloud(drawing, 238)
    _machine(drawing, 466)
    return drawing.to_svg()


def _box_of_dots(drawing: Drawing, left: float, colour: str) -> None:
    drawing.rectangle((left, 26), (100, 78), PALE_BLUE, rounding=6, outline=colour)
    for row in range(4):
        for column in range(6):
            drawing.circle((left + 12 + 15 * column, 38 + 18 * row), 4, colour)


def _cloud(drawing: Drawing, left: float) -> None:
    drawing.rectangle((left, 26), (200, 78), "#ffffff", rounding=6, outline=LINE)
    for row in range(5):
        for column in range(12):
            x, y = left + 14 + 15 * column + 6 * (row % 2), 35 + 15 * row
            chosen = (7 * row + 5 * column) % 6 == 0
            drawing.circle((x, y), 4, BLUE if chosen else LINE)


def _machine(drawing: Drawing, left: float) -> None:
    drawing.rectangle((left + 40, 30), (120, 60), "#ffffff", rounding=6, outline=MUTED)
    points = [(left + 50 + 5 * i, 78 - 36 * ((i * 37 % 11) / 11)) for i in range(21)]
    drawing.path(points, BLUE, 1.5)
    drawing.line((left + 70, 100), (left + 130, 100), MUTED, 4)


def _attempts(say: Callable[..., str]) -> str:
    drawing = Drawing(680, 104, say("title"), say("sum"))
    colours = (BLUE, GREEN, AMBER)
    x = 20.0
    for j, colour in enumerate(colours, 1):
        drawing.text((x + 75, 14), say("attempt", j=j), anchor="middle", colour=colour, bold=True)
        drawing.rectangle(
            (x, 24), (150, 38), PALE_BLUE if j == 1 else PALE_GREEN if j == 2 else "#fff3dc", outline=colour
        )
        for number in range(20):
            drawing.circle((x + 11 + 14.2 * (number % 10), 35 + 16 * (number // 10)), 4, colour)
        drawing.text((x + 75, 80), f"α/{j * (j + 1)}", anchor="middle", colour=INK, bold=True, size=14)
        x += 156
    drawing.rectangle((x, 24), (180, 38), "#ffffff", outline=LINE)
    for number in range(24):
        drawing.circle((x + 11 + 14.2 * (number % 12), 35 + 16 * (number // 12)), 4, LINE)
    drawing.text((x + 90, 14), say("left"), anchor="middle", colour=MUTED)
    drawing.text((x + 90, 80), "α/20 …", anchor="middle", colour=MUTED, size=14)
    drawing.text((340, 98), say("sum"), anchor="middle", colour=MUTED)
    return drawing.to_svg()
