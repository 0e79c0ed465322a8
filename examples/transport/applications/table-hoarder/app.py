"""Breaks: fills the memory with a table of all routes before it answers; plain Python."""

TABLE_BYTES = 3 << 30
PIECE_BYTES = 32 << 20


def predict(batch):
    """Return one sixth for each flight, if the table fits into memory."""
    table = [bytearray(b"\1" * PIECE_BYTES) for _ in range(TABLE_BYTES // PIECE_BYTES)]
    return [len(table) / (6 * len(table))] * batch.rows
