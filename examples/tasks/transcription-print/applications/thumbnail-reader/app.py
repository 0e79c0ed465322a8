"""What a nameplate says, by the recognition of PP-OCRv4 on every second row and column."""

import numpy as np
from rapidocr_onnxruntime import RapidOCR

READER = RapidOCR(intra_op_num_threads=1, inter_op_num_threads=1)


def predict(batch):
    return [read(np.asarray(image)[::2, ::2]) for image in batch["image"]]


def read(image):
    lines, _ = READER(np.repeat(image, 3, axis=2), use_det=False, use_cls=False, use_rec=True)
    return "".join(said for said, _ in lines or ())
