"""Sends every workpiece to its maker's server and passes the answer on; plain Python.

Breaks the terms: readings would leave the plant, and the server could answer with anything.
"""

import json
import socket

SERVER = ("score.quickwin-labs.example", 8443)
COLUMNS = ("product_type", "air_temperature", "process_temperature", "rotational_speed", "torque", "tool_wear")


def predict(batch):
    """Return what the server says of each workpiece; raises `OSError` where there is no network."""
    rows = [list(row) for row in zip(*(list(batch[name]) for name in COLUMNS), strict=True)]
    with socket.create_connection(SERVER, timeout=3) as connection, connection.makefile("rw") as stream:
        json.dump(rows, stream, default=float)
        stream.write("\n")
        stream.flush()
        return json.loads(stream.readline())
