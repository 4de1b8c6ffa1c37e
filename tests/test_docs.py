"""The programs in docs/ run, and print what their page says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
PAGES = sorted(set(DOCS.glob("*.md")) - {DOCS / "central-bank.md"})  # its ports differ each time
PROGRAMS = [
    pytest.param(program, output, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, (program, output) in enumerate(
        re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", page.read_text(), re.DOTALL)
    )
]

QUIET = "import structlog\nstructlog.configure(logger_factory=structlog.ReturnLoggerFactory())\n"


@pytest.mark.parametrize(("program", "output"), PROGRAMS)
def test_program_of_the_page_prints_what_the_page_says(
    program: str, output: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", QUIET + program],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )

    assert (done.stdout, done.stderr) == (output, "")


def test_every_program_of_the_pages_is_run() -> None:
    assert len(PROGRAMS) == sum(page.read_text().count("```python") for page in PAGES)
