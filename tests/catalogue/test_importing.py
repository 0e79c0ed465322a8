"""Imports: every problem of every row at once; what would happen; carried out whole or not at all."""

from dataclasses import dataclass

import pytest

from pilotbase.catalogue import importing
from pilotbase.catalogue.figures import read_targets, set_targets
from pilotbase.catalogue.importing import KnownPeople, plan_organisations, plan_people, plan_targets
from pilotbase.catalogue.records import load_record
from pilotbase.catalogue.saving import save_all
from pilotbase.documents.errors import RefusedError
from pilotbase.documents.subjects import Organisation
from pilotbase.documents.vocabularies import Role
from pilotbase.workspace.checks.reconciliation import verify_store
from pilotbase.workspace.failures import NotFoundError
from tests.catalogue.records_for_tests import DESK, OWNER, REGULATOR


@dataclass(frozen=True)
class Row:
    number: int
    cells: tuple[str, ...]
    formulas: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Sheet:
    header: tuple[str, ...]
    rows: tuple[Row, ...]


def sheet(header, *lines, formulas=()):
    rows = [
        Row(number, tuple(line.split(",")), frozenset(place for row, place in formulas if row == number))
        for number, line in enumerate(lines, 2)
    ]
    return Sheet(tuple(header.split(",")), tuple(rows))


def problems(plan):
    return [(one.row, one.column, one.found, one.why.code) for one in plan.problems]


ORGANISATIONS = "name,title_en,title_zh,roles,contact,related"


def test_every_problem_of_every_row_is_told_at_once(store):
    table = sheet(
        ORGANISATIONS,
        "River Hospital,River,,doctor,,",
        "plant,=cmd(),,supplier,,Not A Name",
        "acme,Acme,,,,",
        "globex,Globex,,supplier;supplier,,",
        "globex,Globex,,supplier,,",
        f"long,{'x' * 201},,supplier,,",
        "many,a,b,supplier,c,d,e",
        formulas=[(3, 1)],
    )
    plan = plan_organisations(store.as_actor(DESK), table)
    assert problems(plan) == [
        (2, "name", "River Hospital", "imports.not_a_name"),
        (2, "roles", "doctor", "imports.not_one_of"),
        (3, "title_en", "=cmd()", "imports.formula"),
        (3, "related", "Not A Name", "imports.not_a_name"),
        (4, "roles", "", "imports.missing"),
        (6, "name", "globex", "imports.double"),
        (7, "title_en", "x" * 80, "imports.too_long"),
        (8, "", "", "imports.ragged"),
    ]
    assert [one.row for one in plan.planned] == [5]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("name,colour", [(1, "colour", "colour", "imports.unknown_column"), (1, "roles", "", "imports.no_column")]),
        ("name,roles,简称", [(1, "简称", "简称", "imports.double_column")]),
    ],
)
def test_what_is_wrong_with_the_first_row_is_told_alone(store, header, expected):
    plan = plan_organisations(store.as_actor(DESK), sheet(header, "a,b,c", "d,e,f"))
    assert problems(plan) == expected and plan.planned == ()


def test_columns_and_words_are_known_in_both_languages(store):
    table = sheet("简称,中文名称,角色,Contact", "plant,工厂,需求方、Reviewer,x", "acme,,supplier ; 主管部门,")
    plan = plan_organisations(store.as_actor(DESK), table)
    assert plan.problems == ()
    first, second = (one.content for one in plan.planned)
    assert second.roles == (Role.SUPPLIER, Role.REGULATOR)
    assert (first.roles, first.title.zh) == ((Role.DEMAND_OWNER, Role.REVIEWER), "工厂")


def test_new_changed_and_unchanged_organisations(any_store):
    desk = any_store.as_actor(DESK)
    save_all(desk, [Organisation(name="plant", title="Plant", roles=(Role.DEMAND_OWNER,))], "test")
    table = sheet(ORGANISATIONS, "plant,,,demand_owner,,", "acme,Acme,,supplier,,")
    plan = plan_organisations(desk, table)
    assert [(one.content.name, one.change) for one in plan.planned] == [("plant", "changed"), ("acme", "new")]
    saved = save_all(desk, plan.contents(), "organisations.imported")
    assert [record.subject for record in saved] == ["organisation:plant", "organisation:acme"]
    again = plan_organisations(desk, table)
    assert [one.change for one in again.planned] == ["same", "same"] and again.contents() == []
    assert save_all(desk, [one.content for one in again.planned], "organisations.imported") == []
    verify_store(any_store)
    assert [entry.action for entry in desk.log_entries()][-1] == "organisations.imported"


def test_more_than_is_written_at_once_is_told_where_to_split(store, monkeypatch):
    monkeypatch.setattr(importing, "MOST_ORGANISATIONS", 2)
    table = sheet(ORGANISATIONS, *(f"org{number},,,supplier,," for number in range(4)))
    plan = plan_organisations(store.as_actor(DESK), table)
    assert problems(plan) == [(4, "name", "org2", "imports.too_many")]


def test_all_are_saved_or_none(any_store):
    desk = any_store.as_actor(DESK)
    several = [Organisation(name=name, title=name, roles=(Role.SUPPLIER,)) for name in ("one", "two")]
    for who in (OWNER, REGULATOR):
        with pytest.raises(RefusedError):
            save_all(any_store.as_actor(who), several, "organisations.imported")
    with pytest.raises(RuntimeError):
        save_all(desk, _then_fail(several), "organisations.imported")
    for name in ("one", "two"):
        with pytest.raises(NotFoundError):
            load_record(desk, f"organisation:{name}")


def _then_fail(contents):
    yield from contents
    raise RuntimeError


KNOWN = KnownPeople({"plant": frozenset({Role.DEMAND_OWNER})}, {("xu@plant.example", "plant")})


def test_people_are_invited_into_what_is_registered_and_only_once():
    table = sheet(
        "email,organisation,roles,language",
        "Li@Plant.example,plant,demand_owner,zh",
        "xu@plant.example,plant,demand_owner,",
        "no address,plant,demand_owner,",
        "wu@x.example,nowhere,supplier,",
        "he@plant.example,plant,supplier,fr",
        "li@plant.example,plant,demand_owner,en",
    )
    plan = plan_people(table, KNOWN)
    assert problems(plan) == [
        (4, "email", "no address", "imports.not_an_address"),
        (5, "organisation", "nowhere", "imports.no_organisation"),
        (6, "language", "fr", "imports.not_a_language"),
        (6, "roles", "supplier", "imports.foreign_role"),
        (7, "email", "li@plant.example", "imports.double"),
    ]
    assert [(one.content.email, one.change) for one in plan.planned] == [
        ("li@plant.example", "new"),
        ("xu@plant.example", "same"),
    ]
    assert [guest.language for guest in plan.contents()] == ["zh"]


def test_targets_are_set_changed_and_kept(any_store):
    desk = any_store.as_actor(DESK)
    table = sheet(
        "year,figure,sector,action,number",
        "2026,opened,,,30",
        "2026,已获证书,energy,全部,4",
        "2026,Trials agreed,all,industry,9",
    )
    plan = plan_targets(desk, table)
    assert plan.problems == () and [one.change for one in plan.planned] == ["new"] * 3
    set_targets(desk, plan.contents())
    changed = plan_targets(desk, sheet("year,figure,number", "2026,opened,31", "2027,opened,50"))
    assert [one.change for one in changed.planned] == ["changed", "new"]
    set_targets(desk, changed.contents())
    assert [target.number for target in read_targets(desk).targets] == [4, 31, 9, 50]
    wrong = plan_targets(
        desk, sheet("year,figure,sector,number", "26,profit,steel,-1", "2026,opened,,1", "2026,opened,,2")
    )
    assert [(row, column) for row, column, _, _ in problems(wrong)] == [
        (2, "sector"),
        (2, "year"),
        (2, "figure"),
        (2, "number"),
        (4, "year"),
    ]
