"""Peers are measured as we are: a small package whose figures are known from its text."""

import pytest

from benchmarks.house.peers import COLUMNS, Peer, row

FILES = {
    "shop/__init__.py": "",
    "shop/till/__init__.py": "from ..stock import shelf\n",
    "shop/till/pay.py": (
        "from typing import TYPE_CHECKING, Any\n\n"
        "if TYPE_CHECKING:\n    from shop.door import bell\n\n\n"
        'def pay(amount: int, coin, *, change: Any = None):\n    """Return the change."""\n'
        "    # why\n    from shop.door import bell\n\n    return bell(amount)\n\n\n"
        "def _count(a, b, c, d, e, f, g):\n    return a\n"
    ),
    "shop/stock/__init__.py": "",
    "shop/stock/shelf.py": "import shop.till.pay\n\n\nclass Shelf:\n    def take(self) -> int:\n        return 1\n",
    "shop/door.py": "from shop.till.pay import pay\n\n\ndef bell(amount: int) -> int:\n    return pay(amount, 2)\n",
    "shop/errors.py": (
        "class ShopError(Exception):\n    pass\n\n\n"
        "def fail():\n    try:\n        raise ShopError\n    except Exception:  # type: ignore\n"
        "        raise ValueError from None\n"
    ),
    "shop/migrations/first.py": "def upgrade(a, b, c, d, e, f, g, h, i):\n    return 1\n",
    "shop/test_shop.py": "def test_nothing():\n    assert True\n",
    "tests/test_shop.py": "from shop.door import bell\n\n\ndef test_it():\n    assert bell(1) == 1\n",
}
EXPECTED = {
    "name": "shop",
    "files": "7",  # without tests and migrations
    "lines": "37",
    "file: median / 90 % / most": "5 / 12 / 16",
    "function: median / 90 % / most": "2 / 6 / 6",
    "parameters: most": "7",
    "functions > 6": "1",
    "documented": "17 %",  # pay; not bell, Shelf, take, ShopError, fail
    "typed": "27 %",  # amount, change, amount of eleven
    "Any": "9 %",
    "ring of rooms": "2 of 4",  # till and stock; what only type checkers read and what is lazy makes none with door
    "ring of files": "0 of 7",
    "lazy": "1",
    "comments per 100": "8.3",  # 2 to 24
    "test lines per line": "0.21",  # 5 to 24
    "own errors": "50 %",  # ShopError; not ValueError
    "broad per 1,000": "27.0",  # one to 37
    "ignored types per 1,000": "27.0",
}


@pytest.fixture
def shop(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    return dict(zip(COLUMNS, row(Peer.parse(f"shop={tmp_path}/shop,{tmp_path}/tests")), strict=True))


@pytest.mark.parametrize("column", EXPECTED)
def test_each_figure_is_what_the_text_says(shop, column):
    assert shop[column] == EXPECTED[column]


def test_rooms_may_stand_in_a_folder_inside(tmp_path):
    (tmp_path / "shop/_inner/b").mkdir(parents=True)
    (tmp_path / "shop/_inner/a.py").write_text("import shop._inner.b\n\n\ndef one(a):\n    return a\n", "utf-8")
    (tmp_path / "shop/_inner/b/__init__.py").write_text(
        "from shop._inner import a\n\n\ndef two(b):\n    return b\n", "utf-8"
    )
    found = dict(zip(COLUMNS, row(Peer.parse(f"shop={tmp_path}/shop:_inner")), strict=True))
    assert (found["ring of rooms"], found["test lines per line"]) == ("2 of 2", "–")
