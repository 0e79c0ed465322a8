"""The unit that the name of a column tells, spelled as UCUM spells it (Unified Code for Units of Measure, 2.1)."""

from __future__ import annotations

import re

from pilotbase.data.column_guesses import guess_unit
from pilotbase.data.describing.guesses import Guess, Sure
from pilotbase.documents.texts import text

_SAME = frozenset(
    (
        *("kW", "MW", "GW", "W", "kV", "V", "mV", "mA", "A", "Hz", "kHz", "MHz", "GHz", "VA", "kVA", "MVA", "Ohm"),
        *("Pa", "kPa", "MPa", "hPa", "bar", "mbar", "N", "kN", "J", "kJ", "MJ", "K", "dB", "lx", "lm", "%"),
        *("mm", "cm", "km", "m", "nm", "m2", "m3", "ms", "s", "min", "h", "d", "a", "mo", "m/s", "km/h", "mm/s"),
        *("kg", "mg", "g", "t", "L", "mL", "mg/L", "g/L", "ng/mL", "ug/L", "mmol/L", "umol/L", "mg/dL", "g/dL"),
    )
)
_SPELLED = {
    "°c": "Cel", "℃": "Cel", "摄氏度": "Cel", "c": "Cel", "°f": "[degF]", "℉": "[degF]", "rpm": "{rev}/min",
    "r/min": "{rev}/min", "转/分": "{rev}/min", "kwh": "kW.h", "kw·h": "kW.h", "mwh": "MW.h", "千瓦时": "kW.h",
    "兆瓦时": "MW.h", "万千瓦时": "10*4.kW.h", "n·m": "N.m", "nm": "N.m", "nm/s": "nm/s", "mmhg": "mm[Hg]",
    "cmhg": "cm[Hg]", "mph": "[mi_i]/h", "mi": "[mi_i]", "cny": "{CNY}", "usd": "{USD}", "eur": "{EUR}",
    "元": "{CNY}", "万元": "10*4.{CNY}", "人民币": "{CNY}", "千瓦": "kW", "兆瓦": "MW", "瓦": "W", "伏": "V",
    "千伏": "kV", "安": "A", "毫安": "mA", "赫兹": "Hz", "帕": "Pa", "千帕": "kPa", "兆帕": "MPa", "米": "m",
    "厘米": "cm", "毫米": "mm", "千米": "km", "公里": "km", "秒": "s", "毫秒": "ms", "分": "min", "分钟": "min",
    "小时": "h", "时": "h", "天": "d", "日": "d", "岁": "a", "年": "a", "月": "mo", "克": "g", "千克": "kg",
    "公斤": "kg", "吨": "t", "升": "L", "毫升": "mL", "立方米": "m3", "平方米": "m2", "m³": "m3", "m²": "m2",
    "m^3": "m3", "m^2": "m2", "m³/h": "m3/h", "m3/h": "m3/h", "t/h": "t/h", "米/秒": "m/s", "公里/小时": "km/h",
    "μg/m³": "ug/m3", "ug/m3": "ug/m3", "μg/m3": "ug/m3", "mg/m³": "mg/m3", "次/分": "/min", "bpm": "/min",
    "ppm": "[ppm]", "ppb": "[ppb]", "μm": "um", "um": "um", "ω": "Ohm", "m/s²": "m/s2", "mm/s²": "mm/s2",
    "m/s2": "m/s2", "mmol/l": "mmol/L", "mg/dl": "mg/dL", "g/dl": "g/dL", "ml": "mL", "l": "L",
}  # fmt: skip
_COUNTS = re.compile(r"(^|[_\s])(in|per|each|of|every)[_\s][A-Za-z]+$", re.IGNORECASE)
"""``departures_in_hour`` counts departures: it is no length of time."""
UCUM = {**{unit.lower(): unit for unit in _SAME}, **_SPELLED}
"""A unit as people write it, in lower case → as UCUM does; a word that is UCUM as it stands goes before it."""


def guess_ucum(name: str) -> tuple[str, Guess] | None:
    """Return the unit that the name of a column ends with, and why; None where it names none that is known."""
    written = guess_unit(name)
    if written is None or _COUNTS.search(name):
        return None
    unit = written if written in _SAME else UCUM.get(written.strip().lower())
    if unit is None:
        return None
    return unit, Guess("unit", text("describe.ground.unit", name=name, written=written), Sure.LIKELY)
