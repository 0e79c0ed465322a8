"""The building blocks of every table: the one register of tables, times in UTC, columns of one type in a line.

No column may be null unless ``null`` says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateIndex, SchemaItem

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
metadata = sa.MetaData()


class UtcMoment(sa.TypeDecorator[datetime]):
    """A zone-aware time as microseconds since the epoch."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: sa.Dialect) -> int | None:
        return None if value is None else (value - _EPOCH) // timedelta(microseconds=1)

    def process_result_value(self, value: int | None, dialect: sa.Dialect) -> datetime | None:
        return None if value is None else _EPOCH + timedelta(microseconds=value)


def table(name: str, *parts: SchemaItem, clustered: bool = False) -> sa.Table:
    """Declare a table of columns, keys and indexes; on SQLite, a `serial` column never assigns a number twice.

    ``clustered``: SQLite keeps the rows in the order of their primary key, for tables that are read only by it.
    """
    counts_up = any(isinstance(part, sa.Column) and part.autoincrement is True for part in parts)
    return sa.Table(name, metadata, *parts, sqlite_autoincrement=counts_up, sqlite_with_rowid=not clustered)


def words(*, null: bool = False, default: str | None = None, **lengths: int) -> list[sa.Column[Any]]:
    """Return columns of short text: name → maximum length in characters."""
    return [_column(name, sa.String(length), null, default) for name, length in lengths.items()]


def texts(*names: str, null: bool = False, default: str | None = None) -> list[sa.Column[Any]]:
    """Return columns of text of any length."""
    return [_column(name, sa.Text(), null, default) for name in names]


def blobs(*names: str, null: bool = False) -> list[sa.Column[Any]]:
    """Return columns of bytes."""
    return [_column(name, sa.LargeBinary(), null) for name in names]


def numbers(*names: str, null: bool = False, default: str | None = None) -> list[sa.Column[Any]]:
    """Return columns of whole numbers of 64 bits."""
    return [_column(name, sa.BigInteger(), null, default) for name in names]


def moments(*names: str, null: bool = False) -> list[sa.Column[Any]]:
    """Return columns of times."""
    return [_column(name, UtcMoment(), null) for name in names]


def counts(*names: str, null: bool = False, default: str | None = None) -> list[sa.Column[Any]]:
    """Return columns of whole numbers of 32 bits."""
    return [_column(name, sa.Integer(), null, default) for name in names]


def floats(*names: str, null: bool = False) -> list[sa.Column[Any]]:
    """Return columns of floating-point numbers."""
    return [_column(name, sa.Float(), null) for name in names]


def flags(*names: str, default: bool | None = None) -> list[sa.Column[Any]]:
    """Return columns of true or false."""
    begins = {None: None, False: sa.false(), True: sa.true()}[default]
    return [_column(name, sa.Boolean(), default=begins) for name in names]


def serial(name: str) -> sa.Column[Any]:
    """Return a column that numbers its rows."""
    kind = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column(name, kind, autoincrement=True, nullable=False)


def key(*columns: str) -> sa.PrimaryKeyConstraint:
    """Return the primary key."""
    return sa.PrimaryKeyConstraint(*columns)


def unique(*columns: str) -> sa.UniqueConstraint:
    """Return a constraint that no two rows agree in ``columns``."""
    return sa.UniqueConstraint(*columns)


def refers(**targets: str) -> sa.ForeignKeyConstraint:
    """Return a foreign key: column → ``table.column`` that it refers to."""
    return sa.ForeignKeyConstraint(list(targets), list(targets.values()))


def check(name: str, condition: str) -> sa.CheckConstraint:
    """Return a condition that every row meets."""
    return sa.CheckConstraint(condition, name=name)


def index(name: str, *columns: str, unique: bool = False, where: str | None = None) -> sa.Index:
    """Return an index, over the rows that meet ``where``."""
    return sa.Index(name, *columns, unique=unique, info={} if where is None else {"where": sa.text(where)})


@compiles(CreateIndex)
def _with_options(create: CreateIndex, compiler: Any, **settings: Any) -> str:
    """Give an index what its ``info`` says, where its database has such an option.

    Said where it is declared, as ``postgresql_where``, it would load the dialect of a database that is not used.
    """
    options = create.element.dialect_options[compiler.dialect.name]
    options.update({name: value for name, value in create.element.info.items() if name in options})
    return str(compiler.visit_create_index(create, **settings))


def set_row(
    connection: sa.Connection, table: sa.Table, key: Mapping[str, object], values: Mapping[str, object]
) -> None:
    """Set the row with ``key`` to ``values``: the present one, or a new one."""
    here = [table.c[name] == value for name, value in key.items()]
    if connection.execute(sa.update(table).where(*here).values(**values)).rowcount == 0:
        connection.execute(sa.insert(table).values({**key, **values}))


def _column(name: str, kind: Any, null: bool = False, default: Any = None) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=null, server_default=default, autoincrement=False)
