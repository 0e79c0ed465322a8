"""Values on the command line that cannot be read are told in our words, with the option and what was found."""

import pytest

from tests.cli.test_command_line import run

WRONG = {
    ("scenario", "new", "--from", "x.csv", "--miss", "many"): ("--miss", "many", "must be a number", "须为数字"),
    ("service", "budget", "a", "b", "--calls", "1.5"): ("--calls", "1.5", "must be a whole number", "须为整数"),
    ("serve", "--port", "70000"): ("--port", "70000", "must be at most 65535", "不得大于 65535"),
    ("incident", "show", "first"): ("number", "first", "must be a whole number", "须为整数"),
}


@pytest.mark.parametrize("words", WRONG, ids=" ".join)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_value_that_cannot_be_read_is_told_in_our_words(words, language):
    option, found, english, chinese = WRONG[words]
    told = run(*words, language=language)
    assert told.exit_code == 2 and not told.stdout
    command, *rest = told.stderr.splitlines()
    assert command.startswith(f"pilotbase {words[0]}") and option in rest[0] and found in rest[0]
    assert (english if language == "en" else chinese) in rest[0]
    assert "Input should be" not in told.stderr and "Usage" not in told.stderr


def test_what_is_no_value_is_told_with_how_a_command_is_used():
    told = run("scenario", "new", "--form", "x.csv")
    assert told.exit_code == 2 and "--from" in told.stderr and "Usage" in told.stderr
