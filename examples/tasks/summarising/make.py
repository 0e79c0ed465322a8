"""Writes incident reports of a plant, English and Chinese, with the points that a summary must name.

A report says what stood still, why, what was done, and much besides. Key points are three: machine, cause, action.
"""

from __future__ import annotations

import csv
import random
from pathlib import Path

CASES = 220
MACHINES = {"conveyor": "输送带", "compressor": "压缩机", "press": "压力机", "mixer": "搅拌机", "boiler": "锅炉"}
CAUSES = {
    "worn bearing": "轴承磨损",
    "blocked filter": "滤网堵塞",
    "loose cable": "电缆松动",
    "leaking valve": "阀门泄漏",
}
ACTIONS = {"replaced": "更换", "cleaned": "清洗", "tightened": "紧固", "sealed": "密封"}
ENGLISH_BESIDES = (
    "The weather was dry.", "The canteen was closed that day.", "Two visitors were in the hall.",
    "The shift book was filled in.", "Lighting was good.", "A new calendar was hung up.",
    "The forklift was charged in the meantime.", "Breakfast was moved by a quarter of an hour.",
)  # fmt: skip
CHINESE_BESIDES = (
    "当天天气干燥。", "食堂当日停业。", "车间有两名参观人员。", "交接班记录已填写。", "照明情况良好。",
    "墙上换了新日历。", "其间叉车完成充电。", "早餐推迟一刻钟。",
)  # fmt: skip


def write(folder: Path) -> None:
    """Write ``cases.csv``."""
    draw = random.Random(20261127)
    with (folder / "cases.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("id", "report", "language", "points"))
        for number in range(CASES):
            language = draw.choice(("en", "zh"))
            report, points = incident(draw, language)
            table.writerow((f"c{number:04}", report, language, "|".join(points)))


def incident(draw: random.Random, language: str) -> tuple[str, list[str]]:
    """Return a report and the points that its summary must name."""
    at = f"{draw.randrange(6, 22)}:{draw.randrange(10, 60)}"
    machine, cause, action = (draw.choice(list(words.items())) for words in (MACHINES, CAUSES, ACTIONS))
    number = f"{draw.choice('KLM')}{draw.randrange(10, 99)}"
    if language == "en":
        stopped = draw.choice(
            (f"At {at} {machine[0]} {number} stopped.", f"The {machine[0]} {number} stood still from {at} on.")
        )
        why = draw.choice((f"The cause was a {cause[0]}.", f"It turned out that a {cause[0]} was to blame."))
        done = draw.choice(
            (f"The part was {action[0]} before the restart.", f"It was {action[0]}, then all ran again.")
        )
        points, besides = [number, cause[0], action[0]], list(ENGLISH_BESIDES)
    else:
        stopped = draw.choice((f"{at}，{machine[1]}{number}停机。", f"{machine[1]}{number}自{at}起停止运行。"))
        why = draw.choice((f"原因是{cause[1]}。", f"经检查系{cause[1]}所致。"))
        done = draw.choice((f"{action[1]}后恢复运行。", f"当班人员完成{action[1]}，设备重新启动。"))
        points, besides = [number, cause[1], action[1]], list(CHINESE_BESIDES)
    more = draw.sample(besides, 6)
    sentences = [*more[:1], stopped, *more[1:3], why, *more[3:5], done, *more[5:]]
    return (" " if language == "en" else "").join(sentences), points
