"""A reader is told in what form an application comes, in both languages: which function, file, program or address."""

from typing import get_args

import pytest

from pilotbase.documents.application import Form, Runtime, form_in_words

FORMS = {
    "python": (Form(entry_point="model:answer"), "model:answer"),
    "onnx": (Form(runtime="onnx", model="best/model.onnx"), "best/model.onnx"),
    "skops": (Form(runtime="skops", model="model.skops"), "model.skops"),
    "mlflow": (Form(runtime="mlflow", model="best/MLmodel"), "best/MLmodel"),
    "command": (Form(runtime="command", command=("bin/answer", "--fast")), "bin/answer --fast"),
    "container": (Form(runtime="container", image="image.tar", command=("/opt/answer",)), "/opt/answer"),
    "endpoint": (
        Form(
            runtime="endpoint",
            endpoint={
                "protocol": "open_inference",
                "url": "https://models.example",
                "model": "forest",
                "period": {"since": "2026-01-01", "until": "2026-12-31"},
            },
        ),
        "https://models.example",
    ),
}


@pytest.mark.parametrize("runtime", get_args(Runtime))
def test_every_form_is_told_by_what_answers(runtime):
    form, named = FORMS[runtime]
    assert_told(form, named)


def test_an_image_that_starts_by_itself_is_told_too():
    assert_told(Form(runtime="container", image="image.tar"), "image.tar")


def assert_told(form: Form, named: str) -> None:
    said = {language: form_in_words(form).render(language) for language in ("en", "zh")}
    assert said["en"] != said["zh"] and all(named in words for words in said.values())
