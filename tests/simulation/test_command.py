"""`python -m actors.simulation`: what it finds, prints and answers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PLANTED = "tests/simulation/planted.py"


def command(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "actors.simulation", *words],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "random"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_finding_prints_the_report_and_answers_1() -> None:
    done = command(f"{PLANTED}:race", "--property", "nothing_lost", "--seeds", "1000")

    assert done.returncode == 1
    assert "Broken: promise=nothing_lost" in done.stdout
    assert f"replay   python -m actors.simulation {PLANTED}:race --property" in done.stdout


def test_finding_nothing_says_how_far_it_got_and_answers_0() -> None:
    done = command(f"{PLANTED}:right", "--seeds", "600", "--delay-ms", "5", "--jitter-ms", "5")

    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.splitlines() == [
        "500 schedules, nothing found",
        "600 schedules, nothing found",
    ]


def test_one_seed_prints_its_trace() -> None:
    done = command(f"{PLANTED}:right", "--seed", "3")

    assert done.returncode == 0
    assert "account0         handled cast Deposit" in done.stdout
    assert done.stdout.splitlines()[-1].endswith("as promised")


def test_faults_and_filters_are_named_on_the_command_line() -> None:
    done = command(
        f"{PLANTED}:crash",
        *("--property", "nothing_lost", "--crashes", "1", "--may-crash", "is_account"),
        *("--steps-max", "5000"),
    )

    assert done.returncode == 1
    assert "--crashes 1 --may-crash is_account --steps-max 5000 --seed" in done.stdout


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ((), "the following arguments are required"),
        ((PLANTED,), "is not FILE:FUNCTION"),
        (("nowhere.py:race",), "is no Python file"),
        (("CONTRIBUTING.md:race",), "is no Python file"),
        (("tests/simulation/test_command.py:nothing",), "there is no function nothing"),
        ((f"{PLANTED}:race", "--property", "nothing"), "there is no function nothing"),
        ((f"{PLANTED}:race", "--seeds", "-1"), "must not be negative"),
        ((f"{PLANTED}:race", "--choices", "turn1:1"), "--choices needs --seed"),
        ((f"{PLANTED}:race", "--seed", "1", "--choices", "x"), "InvalidChoices"),
    ],
)
def test_wrong_usage_says_what_is_wrong_and_answers_2(
    words: tuple[str, ...], complaint: str
) -> None:
    done = command(*words)

    assert (done.returncode, done.stdout) == (2, "")
    assert complaint in done.stderr
    assert "Traceback" not in done.stderr


def test_file_that_cannot_be_imported_is_wrong_usage(tmp_path: Path) -> None:
    file = tmp_path / "broken.py"
    file.write_text("import no_such_module\n")

    done = command(f"{file}:tree")

    assert done.returncode == 2
    assert "cannot be imported" in done.stderr


def test_program_that_is_not_repeatable_is_said_to_be(tmp_path: Path) -> None:
    file = tmp_path / "world.py"
    file.write_text(
        "import os\n\nasync def tree(simulation):\n    simulation.note(os.urandom(8))\n"
    )

    done = command(f"{file}:tree")

    assert done.returncode == 2
    assert "NotRepeatable" in done.stderr


def test_help_shows_examples() -> None:
    done = command("--help")

    assert done.returncode == 0
    assert f"python -m actors.simulation {PLANTED}:lost_wake_up --seeds 1000" in done.stdout
    assert "exit status: 0 nothing found, 1 found, 2 wrong usage" in done.stdout
