"""Writes delivery notes of four suppliers, English and Chinese, and what goods receipt keys in from each, as JSON."""

from __future__ import annotations

import csv
import json
import random
from datetime import date, timedelta
from pathlib import Path

CASES = 220
ARTICLES = {"pump": "水泵", "valve": "阀门", "gasket": "垫片", "coupling": "联轴器", "pressure gauge": "压力表"}
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")  # fmt: skip


def write(folder: Path) -> None:
    """Write ``cases.csv``."""
    draw = random.Random(20261127)
    with (folder / "cases.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(("id", "note", "language", "fields"))
        for number in range(CASES):
            language = draw.choice(("en", "zh"))
            text, fields = note(draw, language)
            table.writerow((f"c{number:04}", text, language, json.dumps(fields, ensure_ascii=False)))


def note(draw: random.Random, language: str) -> tuple[str, dict[str, object]]:
    """Return a note and its fields: order, article, quantity, date as ISO 8601, damaged."""
    order, quantity = f"PO-{draw.randrange(10_000, 99_999)}", draw.randrange(2, 400)
    english, chinese = draw.choice(list(ARTICLES.items()))
    day = date(2026, 1, 5) + timedelta(days=draw.randrange(300))
    damaged = draw.random() < 0.3
    article = english if language == "en" else chinese
    fields = {"order": order, "article": article, "quantity": quantity, "date": day.isoformat(), "damaged": damaged}
    lines = (_english if language == "en" else _chinese)(draw, fields, day)
    if draw.random() < 0.5:
        draw.shuffle(lines)
    return "\n".join(lines), fields


def _english(draw: random.Random, fields: dict[str, object], day: date) -> list[str]:
    if draw.random() < 0.5:
        state = "Two boxes were crushed." if fields["damaged"] else "All boxes intact."
        lines = [f"Delivery note {draw.randrange(100, 999)}", f"Your order: {fields['order']}"]
        return [*lines, f"We deliver {fields['quantity']} pcs of {fields['article']}", f"Date: {day}", state]
    state = "Condition: damaged" if fields["damaged"] else "Condition: good"
    lines = [f"Order no. {fields['order']}", f"Article: {fields['article']}", f"Quantity: {fields['quantity']}"]
    return [*lines, f"Delivered on {day.day} {MONTHS[day.month - 1]} {day.year}", state]


def _chinese(draw: random.Random, fields: dict[str, object], day: date) -> list[str]:
    if draw.random() < 0.5:
        state = "外箱破损两件。" if fields["damaged"] else "外箱完好。"
        lines = [f"送货单 第{draw.randrange(100, 999)}号", f"贵方订单：{fields['order']}"]
        return [
            *lines,
            f"送达{fields['article']}{fields['quantity']}件",
            f"{day.year}年{day.month}月{day.day}日",
            state,
        ]
    state = "状态：损坏" if fields["damaged"] else "状态：良好"
    lines = [f"订单号 {fields['order']}", f"品名：{fields['article']}", f"数量：{fields['quantity']}"]
    return [*lines, f"送达日期：{day.year}/{day.month:02}/{day.day:02}", state]
