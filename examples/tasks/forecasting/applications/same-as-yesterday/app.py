"""The load of 24 hours before, or of a week before where that is missing."""


def predict(batch):
    pairs = zip(batch["load_day_before"], batch["load_week_before"], strict=True)
    return [day if day == day else week for day, week in pairs]
