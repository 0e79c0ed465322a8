"""Boxes around bright regions of a smoothed image; without numpy an image is (shape, type, bytes)."""


def predict(batch):
    return [parts(*image) for image in batch["image"]]


def parts(shape, _kind, pixels):
    height, width, _ = shape
    smooth = smoothed(pixels, height, width)
    belt = sorted(smooth)[len(smooth) // 2]
    bright = {place for place, value in enumerate(smooth) if value > belt + 45}
    boxes = []
    while bright:
        region = grown(bright, width)
        if len(region) >= 14:
            boxes.append(box(region, width))
    return boxes


def smoothed(pixels, height, width):
    """Return each pixel as the mean of itself (twice) and its four neighbours."""
    last = len(pixels) - 1
    return [
        (2 * value + pixels[max(at - 1, 0)] + pixels[min(at + 1, last)]
         + pixels[max(at - width, 0)] + pixels[min(at + width, last)]) / 6
        for at, value in enumerate(pixels)
    ]  # fmt: skip


def grown(bright, width):
    """Take a connected region out of ``bright``."""
    start = bright.pop()
    region, edge = {start}, [start]
    while edge:
        at = edge.pop()
        for near in (
            at - 1,
            at + 1,
            at - width,
            at + width,
            at - width - 1,
            at - width + 1,
            at + width - 1,
            at + width + 1,
        ):
            if near in bright:
                bright.remove(near)
                region.add(near)
                edge.append(near)
    return region


def box(region, width):
    columns, rows = [at % width for at in region], [at // width for at in region]
    x, y = min(columns), min(rows)
    wide, high = max(columns) - x + 1, max(rows) - y + 1
    return ("bolt" if wide > 1.7 * high else "nut", x, y, wide, high, min(1.0, len(region) / 40))
