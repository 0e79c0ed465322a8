"""Words notes of maintenance in Chinese and English: where it was, what was found (0 to 3 faults), what was done."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np

CASES = 520
SEED = 20260917
FOUND = {
    "en": {
        "leak": (
            "oil drips from the gearbox",
            "hydraulic hose is leaking",
            "a puddle under the pump",
            "seal wet again",
        ),
        "noise": ("grinding sound when slewing", "bearing squeals", "loud knocking at start", "unusual humming"),
        "heat": ("motor too hot to touch", "brake overheats", "temperature alarm at noon", "smells burnt, housing hot"),
        "rust": (
            "rust on the rope drum",
            "corroded bolts at the ladder",
            "paint blistered, rust below",
            "pitting on rail",
        ),
        "wiring": (
            "cable insulation cracked",
            "fuse blown twice",
            "loose terminal in the cabinet",
            "sensor wire broken",
        ),
    },
    "zh": {
        "leak": ("减速箱滴油", "液压软管渗漏", "泵下有一滩油", "密封处又湿了"),
        "noise": ("回转时有摩擦声", "轴承尖叫", "启动时有敲击异响", "电机嗡嗡作响"),
        "heat": ("电机烫手", "制动器过热", "中午温度报警", "有焦味，外壳发烫"),
        "rust": ("钢丝绳卷筒生锈", "爬梯螺栓锈蚀", "油漆起泡，下面有锈", "轨道有锈坑"),
        "wiring": ("电缆绝缘开裂", "保险丝烧断两次", "控制柜端子松动", "传感器断线"),
    },
}
DONE = {
    "en": ("greased and put back", "watched for an hour", "told the next shift", "cleaned the windows", "parts wanted"),
    "zh": ("已加油复位", "观察一小时", "已告知下一班", "清洁了玻璃", "需要备件"),
}  # fmt: skip


def write(folder: Path) -> None:
    """Write ``cases.csv``."""
    with (folder / "cases.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("id", "language", "note", "faults"))
        table.writerows(notes(SEED, CASES))


def notes(seed: int, cases: int) -> list[tuple[str, str, str, str]]:
    """Return so many notes: name, language, text, faults."""
    draw = np.random.default_rng(seed)
    rows = []
    for number in range(cases):
        language = "zh" if draw.random() < 0.5 else "en"
        faults = sorted(
            draw.choice(list(FOUND[language]), draw.choice(4, p=[0.2, 0.4, 0.3, 0.1]), replace=False).tolist()
        )
        said = [str(draw.choice(FOUND[language][fault])) for fault in draw.permutation(faults)]
        rows.append((f"n{number:04}", language, worded(language, said, draw), "|".join(faults)))
    return rows


def worded(language: str, said: list[str], draw: np.random.Generator) -> str:
    """Return a note: crane and time, what was found, what was done."""
    crane, hour, minute = draw.integers(1, 40), draw.integers(0, 24), draw.integers(0, 60)
    done = str(draw.choice(DONE[language]))
    if language == "zh":
        return f"{crane}号桥吊 {hour:02}:{minute:02} " + "，".join([*said, done]) + "。"
    return f"Crane {crane}, {hour:02}:{minute:02}: " + "; ".join([*said, done]) + "."
