"""`corrente bacen homologate` knows what it cannot do before it asks a bank."""

import pytest
from typer.testing import CliRunner

from corrente.cli import app


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--steps", "2z"), "there is no step '2z'"),
        (("--capacity", "18"), "one of 17, 33, 67"),
        (("--minutes", "ten"), "a number up to 60"),
        (("--minutes", "NaN"), "a number up to 60"),
        (("--minutes", "1e999999999"), "a number up to 60"),
        (("--minutes", "0.001"), "capacity_seconds"),
        (("--account", "1"), "number/type/CPF"),
    ],
)
def test_command_says_in_one_line_what_is_wrong(words: tuple[str, ...], said: str) -> None:
    ended = CliRunner().invoke(app, ["bacen", "homologate", "--participant", "12345678", *words])

    assert ended.exit_code == 2
    assert said in ended.stderr
    assert len(ended.stderr.splitlines()) == 1
