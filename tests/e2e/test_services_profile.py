"""The platform on servers that somebody else runs."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from actors import Node
from corrente.servers import bank_child, bank_home, nats_child, postgres_child
from supervisors import Strategy, Supervisor
from tests.e2e.platform_process import ROOT, START_SECONDS, STOP_SECONDS

ISPB = "12345678"


@pytest.fixture
async def settings_file(node: Node, tmp_path: Path) -> AsyncIterator[Path]:
    """PostgreSQL, NATS and a central bank, and a file that names them."""
    home = tmp_path / "servers"
    postgres, database = postgres_child(home, node.clock)
    streaming, events = nats_child(home)
    children = [postgres, streaming, bank_child(home, ISPB, 1_000_000)]
    await node.start(Supervisor(children, strategy=Strategy.ONE_FOR_ONE), name="servers")
    bank = json.loads((bank_home(home) / "ready.json").read_text())["url"]
    pki = bank_home(home) / "pki"
    own = pki / "participants" / ISPB
    path = tmp_path / "corrente.toml"
    path.write_text(
        f"""
profile = "services"
home = "{tmp_path / "home"}"
[gateway]
port = 0
[postgres]
dsn = "{database.dsn}"
[nats]
url = "{events.url}"
user = "{events.user}"
password = "{events.password}"
[bacen]
icom_url = "{bank}"
dict_url = "{bank}"
ca_file = "{pki / "ca.pem"}"
client_certificate_file = "{own / "client.pem"}"
client_key_file = "{own / "client.key"}"
signing_certificate_file = "{own / "signing.pem"}"
signing_key_file = "{own / "signing.key"}"
bank_certificates_file = "{pki / "spi-signing.pem"}"
"""
    )
    yield path
    await node.stop("servers")


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


async def test_platform_runs_on_given_servers_and_is_ready_when_it_knows_participants(
    settings_file: Path, tmp_path: Path
) -> None:
    ready_file = tmp_path / "ready.json"
    command = [sys.executable, "-m", "corrente", "up", "--config", str(settings_file)]
    command += ["--ready-file", str(ready_file)]
    with (tmp_path / "log.txt").open("wb") as log:
        platform = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, env=os.environ)
    try:
        deadline = time.monotonic() + START_SECONDS
        while not ready_file.exists():
            assert platform.poll() is None, (tmp_path / "log.txt").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        url = json.loads(ready_file.read_text())["url"]
        assert status(url + "/health") == 200
        assert status(url + "/health/ready") == 503  # nobody can be paid yet
        dsn = settings_file.read_text().split('dsn = "')[1].split('"')[0]
        connection = await asyncpg.connect(dsn)
        await connection.execute(
            "INSERT INTO participants (ispb, name, kind) VALUES ('00000000', 'BB', 'DRCT')"
        )
        await connection.close()
        while status(url + "/health/ready") != 200:
            assert time.monotonic() < deadline, (tmp_path / "log.txt").read_text()
            time.sleep(0.2)
    finally:
        platform.send_signal(signal.SIGINT)
        code = platform.wait(STOP_SECONDS)
    assert code == 0
