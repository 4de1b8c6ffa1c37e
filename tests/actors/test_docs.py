"""The programs in docs/actors.md run, and print what the page says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "actors.md"
PROGRAMS = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", PAGE.read_text(), re.DOTALL)

QUIET = "import structlog\nstructlog.configure(logger_factory=structlog.ReturnLoggerFactory())\n"


@pytest.mark.parametrize(("program", "output"), PROGRAMS, ids=range(len(PROGRAMS)))
def test_program_of_the_page_prints_what_the_page_says(program: str, output: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", QUIET + program], capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.stderr) == (output, "")


def test_every_program_of_the_page_is_run() -> None:
    assert len(PROGRAMS) == PAGE.read_text().count("```python")
