"""Metal everywhere."""


def predict(batch):
    return [[[0] * shape[1]] * shape[0] for shape, _, _ in batch["image"]]
