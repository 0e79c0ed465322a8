"""One box around everything that is bright."""


def predict(batch):
    return [spots(*image) for image in batch["image"]]


def spots(shape, _kind, pixels):
    width = shape[1]
    bright = [at for at, value in enumerate(pixels) if value > 130]
    if not bright:
        return []
    columns, rows = [at % width for at in bright], [at // width for at in bright]
    x, y = min(columns), min(rows)
    return [("bolt", x, y, max(columns) - x + 1, max(rows) - y + 1, 0.9)]
