"""A slice of `make fuzz`, and that what it promises to notice is noticed."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from tests.fuzz.asks import doors
from tests.fuzz.corpus import Keys, load_keys
from tests.fuzz.doors import Visit, require_answer, require_calm, running_bank, visit
from tests.fuzz.findings import Findings, read_finding
from tests.fuzz.running import generator, marked, read_one, run_parsers
from tests.fuzz.targets import Target, parsers
from tests.fuzz.watch import Forbidden, Growth, Reach, bounded, traced

ROOT = Path(__file__).parents[2]
SEED = "slice"
SLICE_INPUTS = 5_000
DOOR_INPUTS = 60


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return load_keys(tmp_path_factory.mktemp("fuzz"))


@pytest.fixture(scope="session")
def targets(keys: Keys) -> dict[str, Target]:
    return parsers(keys)


@pytest.fixture
def findings(tmp_path: Path) -> Findings:
    return Findings(tmp_path / "findings")


def target_of(read: object) -> Target:
    return Target(1, lambda rng: rng.randbytes(8), read)  # type: ignore[arg-type] # any reader


def test_bent_bytes_break_no_reader(
    targets: dict[str, Target], findings: Findings, tmp_path: Path
) -> None:
    read: dict[str, int] = {}

    def told(name: str, tally: object) -> None:
        read[name] = tally.inputs  # type: ignore[attr-defined] # a Tally

    run_parsers(targets, SLICE_INPUTS, SEED, findings, tmp_path / "mark", told)

    assert findings.counts == {}
    assert read.keys() == targets.keys()
    assert sum(read.values()) > SLICE_INPUTS * 0.9


@pytest.mark.parametrize("name", ["icom", "icom-secondary", "dict-door", "str-door", "admin"])
async def test_bent_requests_are_no_failure_of_the_bank(
    name: str, keys: Keys, findings: Findings
) -> None:
    generators = (generator(SEED, name, number) for number in range(DOOR_INPUTS))

    tally = await visit(name, doors(keys)[name], keys.home, findings, generators)

    assert findings.counts == {}
    assert tally.inputs == DOOR_INPUTS
    assert len(tally.answers) > 3  # some are right, others wrong in several ways


def test_same_seed_makes_the_same_inputs(targets: dict[str, Target]) -> None:
    for name, target in targets.items():
        first, again = (target.make(generator(SEED, name, 7)) for _ in range(2))
        assert first == again, name
        others = {target.make(generator(SEED, name, number)) for number in range(40)}
        assert len(others) > 20, name


def test_error_that_is_not_declared_is_kept_and_found_again_by_one_command(
    keys: Keys, targets: dict[str, Target], findings: Findings
) -> None:
    def careless(data: bytes) -> None:
        raise KeyError(data[0])

    read_one("spi-decode", target_of(careless), b"\x07 a message", findings)

    (kept,) = findings.files
    assert read_finding(kept).bytes_of_inputs() == [b"\x07 a message"]
    assert "KeyError at test_fuzz.py" in read_finding(kept).problem
    again = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "--home", keys.home, "--replay", kept],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (again.returncode, again.stdout) == (0, "gone\n"), again.stderr


def test_few_findings_of_a_kind_are_kept_and_all_are_counted(findings: Findings) -> None:
    for number in range(50):
        findings.add("brcode", [bytes([number])], "words\nKeyError at code.py:1")

    assert findings.counts == {"brcode: KeyError at code.py:1": 50}
    assert len(findings.files) == 3


def test_file_that_a_reader_opens_is_noticed(tmp_path: Path, findings: Findings) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("a")

    read_one("spi-decode", target_of(lambda _: secret.read_text()), b"", findings)

    assert "opened file" in read_finding(findings.files[0]).problem


def test_connection_that_a_reader_opens_is_noticed(findings: Findings) -> None:
    def call_home(_: bytes) -> None:
        with socket.socket() as one:
            one.connect_ex(("127.0.0.1", 9))

    read_one("spi-decode", target_of(call_home), b"", findings)

    assert "socket.connect" in read_finding(findings.files[0]).problem


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel tells of opened files on Linux")
def test_entity_that_a_careless_parser_fetches_is_noticed(tmp_path: Path) -> None:
    bait = tmp_path / "bait.txt"
    bait.write_text("a")
    reach = Reach()
    reach.bait(bait)
    text = f'<!DOCTYPE a [<!ENTITY x SYSTEM "{bait.as_uri()}">]><a>&x;</a>'
    careless = etree.XMLParser(resolve_entities=True, load_dtd=True)

    try:
        with reach.watched():
            etree.fromstring("<a/>")
        with pytest.raises(Forbidden, match="bait"), reach.watched():
            etree.fromstring(text, careless)
    finally:
        reach.close()


def count_letters() -> Iterator[str]:
    while True:
        yield "a"


def test_input_that_takes_long_is_interrupted() -> None:
    with pytest.raises(Forbidden, match="too long"), bounded(seconds=0.05):
        all(count_letters())


def test_input_that_holds_much_memory_is_noticed() -> None:
    def greedy(_: bytes) -> None:
        assert bytearray(200 * 1024 * 1024)

    with pytest.raises(Forbidden, match="held"):
        traced(greedy, b"")


def test_answer_that_says_the_bank_failed_is_noticed() -> None:
    require_answer(404, b"")
    for status in (500, 503):
        with pytest.raises(Forbidden):
            require_answer(status, b"")
    with pytest.raises(Forbidden):
        require_calm("")


def test_process_that_dies_leaves_the_name_of_its_input(
    keys: Keys, findings: Findings, tmp_path: Path
) -> None:
    program = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from tests.fuzz.findings import Findings\n"
        "from tests.fuzz.running import run_parsers\n"
        "from tests.fuzz.targets import Target\n"
        "number = iter(range(9))\n"
        "target = Target(1, lambda rng: b'', lambda data: next(number) == 5 and os.abort())\n"
        "folder = Path(sys.argv[1])\n"
        "run_parsers({'deadly': target}, 9, '1', Findings(folder), folder / 'mark', print)\n"
    )

    died = subprocess.run(
        [sys.executable, "-c", program, tmp_path], cwd=ROOT, capture_output=True, check=False
    )

    assert died.returncode < 0
    assert marked(tmp_path / "mark") == ("deadly", 5)


async def test_request_of_a_finding_is_sent_again(
    keys: Keys, findings: Findings, tmp_path: Path
) -> None:
    """Its bytes are the request: a new bank gets the same one."""
    from tests.fuzz.__main__ import knock_again
    from tests.fuzz.findings import Finding

    async with running_bank(tmp_path) as bank:
        visitor = Visit(bank, "admin", doors(keys)["admin"], Growth(), findings)
        for number in range(5):
            await visitor.ask(generator(SEED, "admin", number))
        await visitor.close()
    findings.add("admin", [b"\x80"], "an input\nForbidden at doors.py:1")
    finding: Finding = read_finding(findings.files[0])

    folder = tmp_path / "again"
    folder.mkdir()
    await asyncio.wait_for(knock_again(keys, finding, folder, findings), 60)

    assert len(findings.counts) == 1
