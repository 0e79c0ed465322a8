"""Days and moments in a draft: any spelling is read, two readings are asked about, no split is by chance."""

import datetime as dt
import io

import polars as pl
import pytest

from pilotbase.data.conform import conform
from pilotbase.data.sources.source import missing_as_null
from pilotbase.data.splits import split_cases
from pilotbase.documents.contract import DataType
from pilotbase.documents.errors import InputError
from pilotbase.documents.moments import DateOrder
from pilotbase.documents.scenario_data import TimeSplit
from tests.data.drafts_for_tests import CASES, ROWS


def test_a_time_column_hides_the_end(draft):
    found = draft(group_or_time="at").scenario
    assert isinstance(found.data.split, TimeSplit)
    assert found.data.split.hidden_from == "2026-01-17T08:00:00Z"
    assert "at" not in found.unseen


DAYS = ["2026-01-05"] * 18
MIXED = {
    "iso and two others": ([*DAYS, "05.01.2026", "1/5/2026"], "1: 2026-01-05, 19: 05.01.2026, 20: 1/5/2026"),
    "two that are no days": ([*DAYS, "2026-02-30", "2026-02-31"], "1: 2026-01-05, 19: 2026-02-30"),
    "none that is read": (["05-01-26"] * 20, "1: 05-01-26"),
    "words among them": ([*DAYS, "tomorrow", "soon"], "1: 2026-01-05, 19: tomorrow"),
}


@pytest.mark.one_in(4)
@pytest.mark.parametrize("kind", MIXED)
def test_dates_that_are_taken_as_text_are_said_with_the_first_row_of_each_form(draft, kind):
    written, forms = MIXED[kind]
    found = draft(CASES.with_columns(bought=pl.Series(written * (ROWS // 20))))
    assert found.scenario.field("bought").data_type is DataType.TEXT
    (told,) = [sentence for sentence in found.decided if sentence.code == "draft.decided.dates_as_text"]
    assert told.params == {"column": "bought", "forms": forms}
    assert forms in told.render("zh") and "taken as text" in told.render("en")


def test_few_that_are_no_days_are_named_and_read_as_missing(draft):
    found = draft(CASES.with_columns(bought=pl.Series([*DAYS, "2026-02-30", "2026-01-06"] * (ROWS // 20))))
    assert found.scenario.field("bought").data_type is DataType.DATE
    (told,) = [sentence for sentence in found.decided if sentence.code == "source.taken.misfits"]
    assert told.params["count"] == ROWS // 20 and told.params["rows"].startswith("19: '2026-02-30', 39: ")
    assert pl.read_csv(io.BytesIO(found.cases))["bought"].null_count() == ROWS // 20


def test_a_day_that_contradicts_the_owner_is_named_and_read_as_missing(draft):
    days = [f"{1 + row % 12:02d}/{1 + row * 7 % 12:02d}/2026" for row in range(ROWS)]
    table = CASES.with_columns(bought=pl.Series([*days[1:], "31/12/2026"]))
    found = draft(table, dates=DateOrder.MONTH_FIRST)
    assert found.scenario.field("bought").data_type is DataType.DATE
    (told,) = [sentence for sentence in found.decided if sentence.code == "source.taken.misfits"]
    assert told.params["rows"] == f"{ROWS}: '31/12/2026'"
    with pytest.raises(InputError) as refused:
        draft(table, dates=DateOrder.MONTH_FIRST, group_or_time="bought")
    assert [issue.problem.code for issue in refused.value.issues] == ["draft.time_unread"]


@pytest.mark.parametrize("written", [["2026-01-05", "2026/1/6", "2026-01-07 08:00"] * 200, ["a1", "12/4 mm"] * 300])
def test_dates_that_are_read_and_words_that_are_none_are_not_spoken_of(draft, written):
    codes = {sentence.code for sentence in draft(CASES.with_columns(bought=pl.Series(written))).decided}
    assert "draft.decided.dates_as_text" not in codes


STARTED = dt.date(2023, 1, 2)
WAYS = {
    "day first": lambda day: f"{day.day}/{day.month}/{day.year}",
    "month first": lambda day: f"{day.month:02d}-{day.day:02d}-{day.year} 08:30",
    "months": lambda day: f"{day:%Y-%m}",
    "weeks": lambda day: f"{day:%G-W%V}",
    "quarters": lambda day: f"{day.year}Q{(day.month + 2) // 3}",
    "quarters, dashed": lambda day: f"{day.year}-Q{(day.month + 2) // 3}",
    "named": lambda day: f"{day:%d %b %Y}",
    "chinese days": lambda day: f"{day.year}年{day.month}月{day.day}日",
    "chinese months": lambda day: f"{day.year}年{day.month}月",
    "chinese quarters": lambda day: f"{day.year}年第{'一二三四'[(day.month - 1) // 3]}季度",
    "compact": lambda day: f"{day:%Y%m%d}",
    "compact months": lambda day: f"{day:%Y%m}",
}


@pytest.mark.one_in(6)
@pytest.mark.parametrize("shuffled", [pytest.param(False, marks=pytest.mark.prove), True])
@pytest.mark.parametrize("way", list(WAYS))
def test_time_in_any_spelling_hides_the_end(draft, way, shuffled):
    """Whatever the column is called: every hidden case is later than every public one."""
    days = [STARTED + dt.timedelta(days=row) for row in range(ROWS)]
    table = CASES.drop("at").with_columns(seen=pl.Series([WAYS[way](day) for day in days]), day=pl.Series(days))
    table = table.sample(fraction=1, shuffle=True, seed=1) if shuffled else table
    found = draft(table, group_or_time="seen")
    assert isinstance(found.scenario.data.split, TimeSplit), found.decided
    cases = table if found.cases is None else pl.read_csv(io.BytesIO(found.cases), infer_schema=False)
    typed = conform(missing_as_null(cases, found.scenario.data.missing), found.scenario)
    parts = split_cases(typed, found.scenario)
    last, first = (
        table.filter(pl.col("case_id").is_in(one["case_id"].to_list())) for one in (parts.public, parts.hidden)
    )
    assert last["day"].max() < first["day"].min()
    assert 0.2 < first.height / ROWS < 0.5


@pytest.mark.prove
def test_a_time_column_that_cannot_be_one_stops_the_draft(draft):
    """DD/MM or MM/DD, mixed forms, words: never a split by chance."""
    days = [f"{1 + row % 12:02d}/{1 + row * 7 % 12:02d}/2026" for row in range(ROWS)]
    for written, said, code in (
        (days, {}, "draft.date_order"),
        (["05.01.2026", "31/12/2026"] * 300, {}, "draft.time_unread"),
        (["13/01/2026", "01/13/2026"] * 300, {}, "draft.time_unread"),
        (["13/01/2026", "02/01/2026"] * 300, {"dates": DateOrder.MONTH_FIRST}, "draft.time_unread"),
        (["2026-01", "2026-01-05"] * 300, {}, "draft.time_unread"),
        (["2026年1月5日 上午9时", "2026年1月5日下午3点20分"] * 300, {}, "draft.time_unread"),
        (["spring", "summer"] * 300, {"is_time": True}, "draft.time_unread"),
    ):
        table = CASES.with_columns(seen=pl.Series(written))
        with pytest.raises(InputError) as told:
            draft(table, group_or_time="seen", **said)
        assert [issue.problem.code for issue in told.value.issues] == [code], written[:2]
        assert told.value.render("zh") != told.value.render("en")
    table = CASES.with_columns(seen=pl.Series(days))
    orders = {order: draft(table, group_or_time="seen", dates=order) for order in DateOrder}
    assert all(isinstance(found.scenario.data.split, TimeSplit) for found in orders.values())
    assert orders[DateOrder.DAY_FIRST].cases != orders[DateOrder.MONTH_FIRST].cases
    assert "draft.decided.date_order" in {sentence.code for sentence in draft(table).decided}, "a feature stays text"


@pytest.mark.prove
def test_a_few_typing_errors_do_not_decide_the_order_of_dates(draft):
    days = [f"{1 + row % 12:02d}/{1 + row * 7 % 12:02d}/2026" for row in range(ROWS)]
    for errors in (1, ROWS // 25):
        for error in ("31/12/2026", "12/31/2026"):
            table = CASES.with_columns(seen=pl.Series([error] * errors + days[errors:]))
            with pytest.raises(InputError) as told:
                draft(table, group_or_time="seen")
            assert [issue.problem.code for issue in told.value.issues] == ["draft.date_order"]
            assert "draft.decided.date_order" in {sentence.code for sentence in draft(table).decided}
    decided = CASES.with_columns(seen=pl.Series(["31/12/2026"] * (ROWS // 10) + days[ROWS // 10 :]))
    assert isinstance(draft(decided, group_or_time="seen").scenario.data.split, TimeSplit)


SINCE = {"days": lambda day: day + 45_000, "seconds": lambda day: 1_700_000_000 + 86_400 * day}
SINCE |= {"milliseconds": lambda day: 1_700_000_000_000 + 86_400_000 * day}


@pytest.mark.one_in(3)
@pytest.mark.parametrize("unit", SINCE)
def test_moments_that_are_numbers_are_time_where_rows_follow_them_and_else_told(draft, unit):
    numbers = [SINCE[unit](row // 4) for row in range(ROWS)]
    in_order, mixed = (CASES.with_columns(a=pl.Series(one)) for one in (numbers, numbers[::2] + numbers[1::2]))
    split = draft(in_order, group_or_time="a").scenario.data.split
    assert isinstance(split, TimeSplit)
    found = draft(mixed, group_or_time="a")
    assert found.scenario.data.split.by == "a"
    (told,) = [sentence for sentence in found.decided if sentence.code == "draft.split.maybe_time"]
    assert "--time a" in told.render("zh") and "2023-" in told.render("en")
    assert isinstance(draft(mixed, group_or_time="a", is_time=True).scenario.data.split, TimeSplit)


def test_parts_of_a_day_are_time_and_numbers_of_another_size_are_groups(draft):
    days = pl.Series([45_000 + (row * 7919 % ROWS) / 24 for row in range(ROWS)])
    assert isinstance(draft(CASES.with_columns(a=days), group_or_time="a").scenario.data.split, TimeSplit)
    found = draft(CASES.with_columns(a=pl.Series([900 + row % 50 for row in range(ROWS)])), group_or_time="a")
    assert "draft.split.by" in {sentence.code for sentence in found.decided}


def test_the_order_of_rows_decides_unless_they_are_sorted_as_texts(draft):
    days = [dt.date(2020 + row // 144, 1 + row // 12 % 12, 1 + row % 12) for row in range(ROWS)]
    rising = CASES.with_columns(seen=pl.Series([f"{day:%d/%m/%Y}" for day in days]))
    found = draft(rising, group_or_time="seen").scenario
    assert found.data.split.hidden_from == str(sorted(days)[int(0.7 * (ROWS - 1))])
    with pytest.raises(InputError):
        draft(rising.sort("seen"), group_or_time="seen")


def test_a_table_in_the_order_of_time_says_that_the_split_is_not(draft):
    told = {sentence.code: sentence for sentence in draft().decided}
    assert told["draft.decided.rising_time"].params == {"column": "at"}
    assert "draft.decided.rising_time" not in {sentence.code for sentence in draft(group_or_time="at").decided}
    mixed = CASES.sample(fraction=1, shuffle=True, seed=1)
    assert "draft.decided.rising_time" not in {sentence.code for sentence in draft(mixed).decided}
