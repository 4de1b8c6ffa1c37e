"""The guide for other participants is run from top to bottom, as somebody would who reads it."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "bank-guide.md").read_text()
PORTS = ("16422", "16423", "16424")
ANYTHING = "…"
MARK = "--- step "
SECONDS_MAX = 150


def steps() -> list[tuple[str, str]]:
    """Commands and what they print, in order; a block without prompts is one that prints nothing.

    A command goes on in the next line behind a backslash, inside quotes, and until the end of a
    here-document.
    """
    found: list[tuple[str, str]] = []
    for kind, block in re.findall(r"```(sh|console)\n(.*?)```", PAGE, re.DOTALL):
        if kind == "sh":
            found.append((block, ""))
            continue
        command = expected = ""
        for line in block.splitlines(keepends=True):
            if line.startswith("$ "):
                if command:
                    found.append((command, expected))
                command, expected = line[2:], ""
            elif expected == "" and goes_on(command):
                command += line
            else:
                expected += line
        found.append((command, expected))
    return found


def goes_on(command: str) -> bool:
    is_open = "<<END" in command and not command.endswith("\nEND\n")
    return is_open or command.endswith("\\\n")


def free_ports() -> list[str]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in PORTS]
    numbers = [str(each.getsockname()[1]) for each in sockets]
    for each in sockets:
        each.close()
    return numbers


def matches(printed: str, expected: str) -> bool:
    pattern = ".*".join(re.escape(piece) for piece in expected.strip().split(ANYTHING))
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None


@pytest.mark.timeout(300)
def test_guide_does_what_it_says_from_top_to_bottom(tmp_path: Path) -> None:
    missing = [name for name in ("bash", "curl", "openssl") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"the guide cannot be run here: {', '.join(missing)} not found")
    asked = steps()
    marks = [f"echo; echo '{MARK}{number}'\n" for number in range(len(asked))]
    script = "".join(mark + command for mark, (command, _) in zip(marks, asked, strict=True))
    for written, free in zip(PORTS, free_ports(), strict=True):
        script = script.replace(written, free)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    with subprocess.Popen(
        ["bash", "-m"],
        cwd=tmp_path,
        env={**os.environ, "PATH": path, "COLUMNS": "200"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as shell:
        try:
            printed, _ = shell.communicate(script, timeout=SECONDS_MAX)
        finally:
            end(shell.pid)

    parts = re.split(rf"\n{MARK}\d+\n", printed)[1:]
    wrong = [
        f"$ {command}{said}--- instead of\n{expected}"
        for (command, expected), said in zip(asked, parts, strict=False)
        if not matches(said, expected)
    ]
    log = tmp_path / "bank.log"
    assert wrong == [], "\n".join(wrong) + (log.read_text()[-3000:] if log.exists() else "")
    assert len(parts) == len(asked)


def end(shell: int) -> None:
    """End what is left of a session."""
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            session = int((entry / "stat").read_text().rpartition(")")[2].split()[3])
            is_ours = session == shell and entry.name != str(os.getpid())
        except (OSError, IndexError, ValueError):
            continue
        if is_ours:
            os.kill(int(entry.name), signal.SIGKILL)


def test_pages_of_the_bank_are_linked_from_its_first_page() -> None:
    docs = ROOT / "docs"
    first = (docs / "central-bank.md").read_text()
    pages = {each.name for each in docs.glob("bank-*.md")}

    assert {name for name in pages if f"({name})" not in first} == set()
    linked = re.findall(r"\]\(([\w/.-]+\.md)\)", PAGE)
    assert [name for name in linked if not (docs / name).exists()] == []
