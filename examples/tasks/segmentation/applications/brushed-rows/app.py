"""What is brighter than its row, and not alone in it; without numpy an image is (shape, type, bytes)."""

BRIGHTER, TOGETHER = 26, 18


def predict(batch):
    return [scratches(*image) for image in batch["image"]]


def scratches(shape, _kind, pixels):
    """Return 1 for a scratch and 0 for metal, of each pixel of each row."""
    height, width, _ = shape
    above = [contrast(pixels[row * width : (row + 1) * width]) for row in range(height)]
    return [
        [int(value > BRIGHTER and around(above, row, column) > TOGETHER) for column, value in enumerate(values)]
        for row, values in enumerate(above)
    ]


def contrast(row):
    middle = sorted(row)[len(row) // 2]
    return [value - middle for value in row]


def around(above, row, column):
    """Return the mean of the three brightest neighbours."""
    rows = above[max(row - 1, 0) : row + 2]
    near = sorted((value for line in rows for value in line[max(column - 1, 0) : column + 2]), reverse=True)
    return sum(near[1:4]) / 3
