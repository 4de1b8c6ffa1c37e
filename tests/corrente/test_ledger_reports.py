"""`corrente ledger statement` and `trial-balance`, as a person and as a script use them."""

import asyncio
import csv
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from actors import Node
from corrente.servers import claim_home, postgres_child
from ledger import migrate
from ledger.reports import day_start
from supervisors import Strategy, Supervisor

ROOT = Path(__file__).resolve().parents[2]
COMMAND_SECONDS = 120
TENANT = "12345678"
JANUARY = ("--from", "2026-01-01", "--to", "2026-01-31")
ANA, PI = 1, 2

BOOKS = """
INSERT INTO shards (id, tenant, owner) VALUES (1, '12345678', 'one');
INSERT INTO accounts (id, shard, tenant, code, flags, ledger, branch, number, name, opened_at)
VALUES
    ('00000000-0000-0000-0000-000000000001', 1, '12345678', 1, 2, 986, '0001', '1000001',
        'Ana [de] Souza', '2026-01-01Z'),
    ('00000000-0000-0000-0000-000000000002', 1, '12345678', 2, 0, 986, NULL, NULL, NULL,
        '2026-01-01Z');
INSERT INTO transfers (id, shard, sequence, debit_account_id, credit_account_id, amount_cents,
    code, kind, pending_id, at, timestamp, held_cents)
SELECT lpad(to_hex(n), 32, '0')::uuid, 1, n, lpad(debit, 32, '0')::uuid,
    lpad(credit, 32, '0')::uuid, amount, 2, kind, lpad(to_hex(hold), 32, '0')::uuid, at, n, held
FROM (VALUES
    (101, '2', '1', 100000, 0, NULL, '2026-01-05T15:00:00Z'::timestamptz, NULL),
    (102, '1', '2', 2500, 1, NULL, '2026-01-06T15:00:00Z', NULL),
    (103, '1', '2', 1050, 2, 102, '2026-01-07T15:00:00Z', 2500),
    (104, '1', '2', 700, 1, NULL, '2026-02-01T02:59:59.999999Z', NULL),
    (105, '2', '1', 1, 0, NULL, '2026-02-01T03:00:00Z', NULL)
) AS t (n, debit, credit, amount, kind, hold, at, held);
"""

SERVICES = """
profile = "services"
[postgres]
dsn = "{dsn}"
[nats]
url = "nats://127.0.0.1:1"
user = "nobody"
password = "nothing"
[bacen]
icom_url = "https://127.0.0.1:1"
dict_url = "https://127.0.0.1:1"
ca_file = "ca.pem"
client_certificate_file = "client.pem"
client_key_file = "client.key"
signing_certificate_file = "signing.pem"
signing_key_file = "signing.key"
bank_certificates_file = "bank.pem"
"""


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "corrente", "ledger", *arguments],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "100"},
        capture_output=True,
        text=True,
        check=False,
        timeout=COMMAND_SECONDS,
    )


async def execute(dsn: str, sql: str) -> None:
    import asyncpg

    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


@pytest.fixture
def config(migrated_dsn: str, tmp_path: Path) -> str:
    """Settings of a platform whose database somebody else runs."""
    asyncio.run(execute(migrated_dsn, BOOKS))
    path = tmp_path / "corrente.toml"
    path.write_text(SERVICES.format(dsn=migrated_dsn))
    return str(path)


@pytest.fixture
def home() -> Iterator[Path]:
    """A home short enough for a socket."""
    folder = Path(tempfile.mkdtemp(prefix="corrente-home-"))
    yield folder
    shutil.rmtree(folder)


def test_statement_shows_holds_movements_and_both_balances(config: str) -> None:
    done = run("statement", "--account", "1000001", *JANUARY, "--config", config)

    assert (done.returncode, done.stderr) == (0, "")
    head, days, opening, titles, *lines, closing = done.stdout.splitlines()
    assert head == "0001/1000001  CUSTOMER  Ana [de] Souza"
    assert days == "2026-01-01 to 2026-01-31, days of Brasília"
    assert opening == "opening R$ 0.00  blocked R$ 0.00  available R$ 0.00"
    assert " ".join(titles.split()) == "at (Brasília) what moved R$ balance R$ blocked R$"
    assert [line.split()[2:] for line in lines] == [
        ["PIX_OUT", "1000.00", "1000.00", "0.00"],
        ["PIX_OUT", "hold", "25.00", "1000.00", "25.00"],
        ["PIX_OUT", "post", "of", "a", "hold", "-10.50", "989.50", "0.00"],
        ["PIX_OUT", "hold", "7.00", "989.50", "7.00"],
    ]
    assert lines[-1].startswith("2026-01-31 23:59:59")
    assert closing == "closing R$ 989.50  blocked R$ 7.00  available R$ 982.50"


def test_statement_as_json_has_centavos_and_names(config: str) -> None:
    done = run("statement", "--account", "0001/1000001", *JANUARY, "--json", "--config", config)

    body = json.loads(done.stdout)
    assert (done.returncode, done.stderr) == (0, "")
    assert body["account"]["name"] == "Ana [de] Souza"
    assert body["opening"] == {"balance_cents": 0, "blocked_cents": 0, "available_cents": 0}
    assert body["closing"]["available_cents"] == 98_250
    assert [line["moved_cents"] for line in body["lines"]] == [100_000, 0, -1_050, 0]
    assert body["lines"][2]["pending_id"] == body["lines"][1]["transfer_id"]
    assert body["lines"][2] == body["lines"][2] | {"kind": "POST", "side": "debit", "sequence": 103}


def test_statement_of_another_currency_is_not_said_to_be_in_reais(
    config: str, migrated_dsn: str
) -> None:
    asyncio.run(
        execute(migrated_dsn, "UPDATE accounts SET ledger = 36; UPDATE transfers SET code = 77")
    )

    done = run("statement", "--account", "1000001", *JANUARY, "--config", config)

    assert "R$" not in done.stdout
    assert "opening 036 0.00" in done.stdout
    assert " 77 post of a hold " in done.stdout


def test_statement_without_lines_is_whole_json(config: str) -> None:
    days = ("--from", "2025-06-01", "--to", "2025-06-30")
    done = run("statement", "--account", "1000001", *days, "--json", "--config", config)

    assert json.loads(done.stdout)["lines"] == []


def test_statement_as_csv_has_a_row_a_line(config: str) -> None:
    done = run("statement", "--account", f"{ANA:032x}", *JANUARY, "--csv", "--config", config)

    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert (done.returncode, done.stderr) == (0, "")
    assert [row["balance_cents"] for row in rows] == ["100000", "100000", "98950", "98950"]
    assert [row["blocked_cents"] for row in rows] == ["0", "2500", "0", "700"]
    assert rows[0]["at"] == "2026-01-05T15:00:00Z"


def test_reader_that_leaves_early_is_no_error(config: str, migrated_dsn: str) -> None:
    many = """
    INSERT INTO transfers (id, shard, sequence, debit_account_id, credit_account_id, amount_cents,
        code, kind, at, timestamp)
    SELECT gen_random_uuid(), 1, n, lpad('2', 32, '0')::uuid, lpad('1', 32, '0')::uuid, 1, 1, 0,
        '2026-01-10Z', n FROM generate_series(1001, 4000) AS n
    """
    asyncio.run(execute(migrated_dsn, many))
    arguments = ["statement", "--account", "1000001", *JANUARY, "--csv", "--config", config]
    with subprocess.Popen(
        [sys.executable, "-m", "corrente", "ledger", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as writer:
        assert writer.stdout is not None
        assert writer.stderr is not None
        assert writer.stdout.readline().startswith(b"sequence,at,")
        writer.stdout.close()

        problem = writer.stderr.read()
        code = writer.wait(COMMAND_SECONDS)

    assert (code, problem) == (0, b"")


def test_period_is_this_month_to_this_day_where_none_is_given(config: str) -> None:
    before = datetime.now(UTC)
    done = run("statement", "--account", "1000001", "--json", "--config", config)
    after = datetime.now(UTC)

    start = datetime.fromisoformat(json.loads(done.stdout)["period"]["start"])
    end = datetime.fromisoformat(json.loads(done.stdout)["period"]["end"])
    assert start in {month_start(before), month_start(after)}
    assert before <= end <= after + timedelta(days=1)


def month_start(at: datetime) -> datetime:
    day = (at - timedelta(hours=3)).date()
    return day_start(day.replace(day=1))


@pytest.mark.parametrize(
    ("arguments", "code", "problem"),
    [
        (("statement", "--account", "777"), 1, "there is no account 777"),
        (("statement", "--account", f"{7:032x}"), 1, "there is no account 0000000000000"),
        (("statement", "--account", "1", "--json", "--csv"), 2, "exclude each other"),
        (("statement", "--account", "1", "--from", "x"), 2, "--from: 'x' is no day"),
        (("statement", "--account", "1", "--to", "2026-02-30"), 2, "'2026-02-30' is no day"),
        (
            ("statement", "--account", "1", "--from", "2026-02-02", "--to", "2026-02-01"),
            2,
            "2026-02-01 is before 2026-02-02",
        ),
        (("statement", "--account", "1", "--to", "9999-12-31"), 2, "too late a day"),
        (("trial-balance", "--date", "x"), 2, "--date: 'x' is no day"),
        (("trial-balance", "--tenant", "99999999"), 1, "no accounts of tenant 99999999"),
        (("trial-balance", "--date", "2024-12-31"), 0, ""),
        (("trial-balance", "--cadoc", "/nowhere/x", "--date", "2026-01-31"), 1, "cannot be writ"),
    ],
)
def test_mistake_is_one_line_and_has_its_exit_code(
    config: str, arguments: tuple[str, ...], code: int, problem: str
) -> None:
    done = run(*arguments, "--config", config)

    assert done.returncode == code
    assert problem in done.stderr
    assert done.stderr.count("\n") == bool(problem)


def test_option_that_is_missing_or_unknown_is_wrong_usage(config: str) -> None:
    assert run("statement", "--config", config).returncode == 2
    assert run("trial-balance", "--unknown").returncode == 2


@pytest.mark.parametrize("command", ["statement", "trial-balance"])
def test_help_has_examples(command: str) -> None:
    done = run(command, "--help")

    assert done.returncode == 0
    assert f"corrente ledger {command}" in done.stdout


def test_database_that_does_not_answer_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "corrente.toml"
    path.write_text(SERVICES.format(dsn=f"postgresql://x@/x?host={tmp_path}"))

    done = run("trial-balance", "--config", str(path))

    assert done.returncode == 1
    assert done.stderr.startswith("corrente: the ledger cannot be read: ")
    assert done.stderr.count("\n") == 1


def test_home_without_a_ledger_is_one_line(tmp_path: Path) -> None:
    done = run("statement", "--account", "1", "--home", str(tmp_path))

    assert done.returncode == 1
    assert "has no ledger" in done.stderr


def test_trial_balance_shows_every_level_and_that_it_adds_up(config: str) -> None:
    done = run("trial-balance", "--date", "2026-01-31", "--config", config)

    assert (done.returncode, done.stderr) == (0, "")
    head, titles, *lines = done.stdout.splitlines()
    assert head == "12345678  2026-01-01 to 2026-01-31, days of Brasília"
    assert titles.split()[:2] == ["rubric", "name"]
    assert lines[0].split()[0] == "1.0.0.00.00.00-9"
    assert lines[0].split()[-4:] == ["0.00", "1000.00", "10.50", "989.50"]
    assert [line.rsplit(": ")[-1] for line in lines[-3:]] == ["ok"] * 3


def test_trial_balance_as_json_has_lines_and_checks(config: str) -> None:
    done = run("trial-balance", "--date", "2026-02-01", "--json", "--config", config)

    body = json.loads(done.stdout)
    customers = next(line for line in body["lines"] if line["rubric"] == "4.1.9.30.10.00-6")
    assert customers == {
        "rubric": "4.1.9.30.10.00-6",
        "name": "Saldos de livre movimentação",
        "type": "liability",
        "nature": "credit",
        "level": 5,
        "is_analytic": True,
        "opening_cents": 98_950,
        "debits_cents": 0,
        "credits_cents": 1,
        "closing_cents": 98_951,
    }
    assert (body["tenant"], body["first"], body["last"]) == (TENANT, "2026-02-01", "2026-02-01")
    assert [check["ok"] for check in body["checks"]] == [True] * 3


def test_books_that_do_not_add_up_are_shown_and_not_filed(
    config: str, migrated_dsn: str, tmp_path: Path
) -> None:
    asyncio.run(execute(migrated_dsn, "UPDATE accounts SET tenant = 'x' WHERE code = 2"))
    file = tmp_path / "4010.xml"
    arguments = ("trial-balance", "--date", "2026-01-31", "--config", config)

    shown = run(*arguments)
    filed = run(*arguments, "--cadoc", str(file))

    assert shown.returncode == 1
    assert "groups 1, 2 and 8 equal groups 4, 6 and 7: BREACH 0 is not 98,950" in shown.stdout
    assert (filed.returncode, file.exists()) == (1, False)
    assert filed.stderr == "corrente: the trial balance does not add up\n"


@pytest.mark.parametrize(("option", "submission"), [((), "I"), (("--replacement",), "S")])
def test_cadoc_is_written_for_a_whole_month(
    config: str, tmp_path: Path, option: tuple[str, ...], submission: str
) -> None:
    file = tmp_path / "4010.xml"
    where = ("--cadoc", str(file), "--config", config)

    early = run("trial-balance", "--date", "2026-01-30", *option, *where)
    assert (early.returncode, file.exists()) == (1, False)
    done = run("trial-balance", "--date", "2026-01-31", *option, *where)

    root = etree.fromstring(file.read_bytes())
    assert done.returncode == 0
    assert dict(root.attrib) == {
        "codigoDocumento": "4010",
        "cnpj": TENANT,
        "dataBase": "2026-01",
        "tipoRemessa": submission,
    }
    assert root[0][0].get("saldo") == "989.50"


async def test_reports_are_the_same_whether_the_platform_runs_or_not(
    node: Node, home: Path
) -> None:
    def reports() -> list[Any]:
        where = ("--home", str(home))
        statement = run("statement", "--account", "1000001", *JANUARY, *where)
        balance = run("trial-balance", "--date", f"{date(2026, 1, 31)}", *where)
        return [(done.returncode, done.stdout, done.stderr) for done in (statement, balance)]

    with claim_home(home):
        spec, endpoint = postgres_child(home, node.clock)
        await node.start(Supervisor([spec], strategy=Strategy.ONE_FOR_ONE), name="tree")
        await migrate(endpoint.dsn)
        await execute(endpoint.dsn, BOOKS)
        running = await asyncio.to_thread(reports)
        await node.stop("tree")
    stopped = await asyncio.to_thread(reports)

    assert running == stopped
    assert [code for code, _, _ in running] == [0, 0]
    assert "closing R$ 989.50" in running[0][1]
    assert not (home / "postgres" / "postmaster.pid").exists()
