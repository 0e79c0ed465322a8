"""Messy rows: times, cells, answers and rows that are not what they seem, and tables out of packages."""

from __future__ import annotations

import random
from pathlib import Path

import numpy
import sklearn.datasets

from tests.corpus.tables_for_tests import day, lines, messy, pumps, saved

SKLEARN = Path(sklearn.datasets.__file__).parent / "data"
NUMPY = Path(numpy.__file__).parent


# ── times ──


@messy("day or month first, nobody knows | 日在前还是月在前无从判断", "day or the month", "day", "--dates", time="day")
def _(folder: Path) -> Path:
    return saved(folder, pumps(day=lambda number, *_: f"{1 + number % 9:02}/{1 + number % 11:02}/2026"))


@messy("times in several forms | 时间有多种写法", "cannot be read as times", r"day.*\b\d+: ", "one form", time="day")
def _(folder: Path) -> Path:
    forms = ("{0:%Y-%m-%d}", "{0:%d %b %y}", "week of {0:%d.%m.}")
    return saved(folder, pumps(day=lambda number, *_: forms[number % 3].format(day(number))))


@messy("rows in order of time, none named | 按时间排列但未指定时间列", "in order of day", "name day", "--time")
def _(folder: Path) -> Path:
    return saved(folder, pumps(day=lambda number, *_: day(number)))


@messy(
    "months of a plant | 按月的电厂数据",
    "claims reach that period",
    "in month",
    "hidden",
    time="month",
    target="output",
)
def _(folder: Path) -> Path:
    months = [f"20{year:02}-{month:02}" for year in range(10, 26) for month in range(1, 13)]
    draw = random.Random(3)
    return saved(
        folder,
        [{"month": month, "price": draw.randrange(99), "output": f"{draw.gauss(50, 9):.1f}"} for month in months],
    )


@messy(
    "days counted by a spreadsheet | 电子表格的日期序号",
    "from 46078 on",
    "in day is hidden",
    "claims reach that period",
    group_or_time="day",
)
def _(folder: Path) -> Path:
    return saved(
        folder,
        pumps(day=lambda number, *_: 46023 + number % 90),
    )


@messy(
    "years of two digits | 两位数年份",
    "cannot be read as times",
    r"day.*1: 01\.01\.26",
    "Write all values in one form",
    time="day",
)
def _(folder: Path) -> Path:
    return saved(folder, pumps(day=lambda number, *_: f"{day(number):%d.%m.%y}"))


# ── cells ──


@messy("missing spelled in six ways | 缺失有六种写法", "read as missing", r"heat.*21: .unknown", "correct them")
def _(folder: Path) -> Path:
    spelled = ("N/A", "-", "unknown", "无", "?", "nil")
    return saved(folder, pumps(heat=lambda number, _, row: spelled[number % 6] if number % 20 < 2 else row["heat"]))


@messy("-999 for missing | 以 -999 表示缺失", "-999", "heat", "--fix sentinels:heat")
def _(folder: Path) -> Path:
    return saved(folder, pumps(heat=lambda number, _, row: -999 if number % 20 == 3 else row["heat"]))


@messy("9999 for missing | 以 9999 表示缺失", "9999", "flow", "--fix sentinels:flow")
def _(folder: Path) -> Path:
    return saved(folder, pumps(flow=lambda number, draw, _: 9999 if number % 9 == 3 else draw.randrange(100)))


@messy("units in the cells | 单元格带单位", "unit in every cell", "heat", "Remove the unit")
def _(folder: Path) -> Path:
    return saved(folder, pumps(heat=lambda _, __, row: f"{row['heat']} °C"))


@messy("two units in one column | 一列两种单位", "several units", "pressure", "Convert them")
def _(folder: Path) -> Path:
    units = ("{0} bar", "{0} kPa")
    return saved(folder, pumps(pressure=lambda number, _, row: units[number % 2].format(row["pressure"])))


@messy("thousands separated | 带千分位", "standard form", "cost", "such as 1,200 as 1200")
def _(folder: Path) -> Path:
    rows = [line.replace("§", ",") for line in lines(pumps(cost=lambda number, *_: f'"{1200 + 7 * number:,}"'))]
    return saved(folder, rows)


@messy("words among numbers | 数值中夹有文字", "wide open", r"heat.*8: ", "correct them")
def _(folder: Path) -> Path:
    return saved(folder, pumps(heat=lambda number, _, row: "wide open" if number in (7, 70) else row["heat"]))


@messy("one label spelled in three ways | 同一标签三种写法", "in several ways", "state", "one way")
def _(folder: Path) -> Path:
    spelled = ("broken", "Broken", "BROKEN ")
    return saved(
        folder, pumps(state=lambda number, _, row: spelled[number % 3] if row["state"] == "broken" else "fine")
    )


# ── answers that do not fit ──


@messy(
    "a target with a typing error | 目标列名拼写有误",
    "no column",
    r"t\.csv target",
    "did you mean state",
    target="status",
)
def _(folder: Path) -> Path:
    return saved(folder, pumps())


@messy("answers that are missing | 答案有缺失", "is empty in", r"t\.csv target", "leave them out")
def _(folder: Path) -> Path:
    return saved(folder, pumps(state=lambda number, _, row: "" if number % 7 == 3 else row["state"]))


@messy("a target that never varies | 目标列只有一个值", "never varies", "always fine", "another column")
def _(folder: Path) -> Path:
    return saved(folder, pumps(state=lambda *_: "fine"))


@messy(
    "a name for every case as target | 目标列每行各不相同",
    "different values",
    "ticket",
    "Choose a target",
    target="ticket",
)
def _(folder: Path) -> Path:
    return saved(folder, pumps(ticket=lambda number, *_: f"{day(number)}"))


# ── cases ──


@messy("twelve cases | 只有十二个案例", "12", r"t\.csv", "at least 20")
def _(folder: Path) -> Path:
    return saved(folder, pumps(12))


@messy("three failures in all | 总共三次故障", "Only 2 hidden cases", "broken of state", "hide more|merge")
def _(folder: Path) -> Path:
    return saved(folder, pumps(state=lambda number, *_: "broken" if number in (20, 100, 180) else "fine"))


@messy("a column that gives the answer away | 有一列泄露答案", "gives the answer away", "repair", "withheld")
def _(folder: Path) -> Path:
    return saved(folder, pumps(repair=lambda _, __, row: "done" if row["state"] == "broken" else "none"))


@messy("a column known only afterwards, in part | 有一列部分为事后信息", "alone", "repair", "--fix afterwards")
def _(folder: Path) -> Path:
    made = lambda _, draw, row: "done" if row["state"] == "broken" and draw.random() < 0.7 else "none"  # noqa: E731
    return saved(folder, pumps(800, repair=made))


@messy("every case twice | 每个案例出现两次", "repeat another in every column", "240 cases", "Delete rows")
def _(folder: Path) -> Path:
    return saved(folder, pumps() * 2)


@messy("many visits of few patients | 少数患者多次就诊", "both sides", "patient_id", "--group-or-time patient_id")
def _(folder: Path) -> Path:
    return saved(folder, pumps(patient_id=lambda number, *_: f"p{number % 40:03}"))


@messy("a key that names two cases | 主键有重复", "called like a key", "nr .*c0008", "Correct or delete")
def _(folder: Path) -> Path:
    return saved(folder, pumps(nr=lambda number, *_: f"c{number if number != 9 else 8:04}"))


@messy("names and mobile numbers | 含手机号码", "may identify a person", "phone", "withheld|pseudonym")
def _(folder: Path) -> Path:
    return saved(folder, pumps(phone=lambda _, draw, __: f"139{draw.randrange(10**8):08}"))


@messy("passwords and access keys | 含访问密钥", "secrets", "token", "Remove the column")
def _(folder: Path) -> Path:
    return saved(folder, pumps(token=lambda _, draw, __: f"sk-{draw.randbytes(20).hex()}"))


@messy("four hundred columns | 列多于案例", "by chance", r"403 features for \d+ public cases", "Withhold the columns")
def _(folder: Path) -> Path:
    wide = {f"c{at:04}": (lambda _, draw, __: draw.randrange(9)) for at in range(400)}
    return saved(folder, pumps(120, **wide))


@messy("cases that drift | 数据漂移", "differs? between public and hidden", "heat", "by group, by time", time="day")
def _(folder: Path) -> Path:
    return saved(
        folder,
        pumps(day=lambda number, *_: day(number), heat=lambda number, draw, _: round(draw.gauss(60 + number, 3), 1)),
    )


@messy("a column that is nearly empty | 有一列几乎全空", "has no value in", "note", "--fix gaps")
def _(folder: Path) -> Path:
    return saved(folder, pumps(note=lambda number, *_: "loud" if number % 10 == 0 else ""))


# ── out of packages ──


@messy(
    "scikit-learn's iris.csv | scikit-learn 的 iris.csv",
    "called by numbers",
    r"iris\.csv, line 1",
    "put a line of names above",
    target="setosa",
)
def _(folder: Path) -> Path:
    return SKLEARN / "iris.csv"


@messy(
    "scikit-learn's breast_cancer.csv | scikit-learn 的 breast_cancer.csv",
    "above the header",
    r"breast_cancer\.csv:1",
    "Delete what stands",
    target="malignant",
)
def _(folder: Path) -> Path:
    return SKLEARN / "breast_cancer.csv"


@messy(
    "scikit-learn's linnerud_exercise.csv | scikit-learn 的 linnerud_exercise.csv",
    "runs of blanks",
    "linnerud_exercise.csv",
    "--separator",
    target="Jumps",
)
def _(folder: Path) -> Path:
    return SKLEARN / "linnerud_exercise.csv"


@messy(
    "scikit-learn's diabetes_data_raw.csv.gz | scikit-learn 的 diabetes_data_raw.csv.gz",
    "holds values",
    r"diabetes_data_raw\.csv:1",
    "--columns",
)
def _(folder: Path) -> Path:
    return SKLEARN / "diabetes_data_raw.csv.gz"


@messy(
    "numpy's umath-validation-set-sin.csv | numpy 的 umath-validation-set-sin.csv",
    "the header has 4",
    r"umath-validation-set-sin\.csv:\d",
    "double quotes",
    target="output",
)
def _(folder: Path) -> Path:
    return NUMPY / "_core" / "tests" / "data" / "umath-validation-set-sin.csv"
