"""Cells that hold arrays, as a caller of a service may write them: an array, or no value; nothing else ends in them."""

import base64

import numpy as np
import pytest

from pilotbase.protocols.array_cells import array_in, cell_of


def cell(described, body=b"x"):
    head = described.encode()
    return base64.b64encode(b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + body).decode()


def of_shape(shape):
    return "{'descr': '|u1', 'fortran_order': False, 'shape': " + shape + "}\n"


@pytest.mark.parametrize(
    "described",
    [
        of_shape("(1" + "0" * 30 + ",)"), of_shape("(4294967296, 4294967296)"), of_shape("(-1, -1)"),
        of_shape("(True,)"), of_shape("-" * 9000 + "1"), "(" * 5000, "{1: 2, 'a': 3}", "{[]: 1}", "1/0", "\x00", "",
    ],
)  # fmt: skip
def test_a_head_made_to_hurt_is_no_array(described):
    with pytest.raises(ValueError):
        array_in(cell(described))


def test_an_array_comes_back():
    pixels = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    np.testing.assert_array_equal(array_in(cell_of(pixels)), pixels)
