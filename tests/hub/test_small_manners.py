"""What every answer does: fewer bytes where no secret is, words where no page is; passwords worth the name."""

import gzip

import pytest
from django.core.exceptions import ValidationError

GZIP = {"HTTP_ACCEPT_ENCODING": "gzip, br"}


@pytest.fixture(scope="module")
def reported(one_world):
    one_world.trial.reach("reported")
    return one_world


@pytest.mark.parametrize(
    "path", ["/static/hub/hub.css", "/static/hub/pieces.js", "/api/openapi.json", "/api/trials/c1/record",
             "/trials/c1/report/"]
)  # fmt: skip
def test_what_holds_no_secret_is_compressed(reported, path):
    client = reported.client("owner")
    plain, short = client.get(path), client.get(path, **GZIP)
    whole = b"".join(plain.streaming_content) if plain.streaming else plain.content
    assert short.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(short.content) == whole
    assert int(short.headers["Content-Length"]) == len(short.content) < len(whole)
    assert "Accept-Encoding" in short.headers["Vary"]
    assert "Content-Encoding" not in plain.headers


@pytest.mark.parametrize("path", ["/work/", "/account/tokens/", "/scenarios/"])
def test_a_page_with_forms_is_not(reported, path):
    assert "Content-Encoding" not in reported.client("owner").get(path, **GZIP).headers


def test_a_document_that_came_compressed_is_known_by_its_tag(reported):
    client = reported.client("owner")
    tag = client.get("/api/trials/c1/record", **GZIP).headers["ETag"]
    assert client.get("/api/trials/c1/record", HTTP_IF_NONE_MATCH=tag, **GZIP).status_code == 304


@pytest.mark.parametrize("path", ["/services/alarm/watch/replay/", "/notices/read/"])
def test_an_address_that_takes_forms_says_so(one_world, path):
    answer = one_world.client("desk").get(path)
    assert answer.status_code == 405
    assert answer.headers["Allow"] == "POST"
    assert "there is no page here" in answer.content.decode()


@pytest.mark.parametrize("password", ["aaaaaaaaaaaa", "abababababab", "abcdefghijkl", "123456789012", "hub1hub1hub1"])
def test_a_password_that_is_easy_to_guess_is_refused(one_world, password):
    from django.contrib.auth.password_validation import validate_password

    with pytest.raises(ValidationError):
        validate_password(password, one_world.people["owner"])


@pytest.mark.parametrize(
    "password", ["correct horse battery staple", "zwölf Boxkämpfer", "8f3a-91cd-77e2", "主轴监测二十四小时安全值守人"]
)
def test_another_is_taken(one_world, password):
    from django.contrib.auth.password_validation import validate_password

    validate_password(password, one_world.people["owner"])
