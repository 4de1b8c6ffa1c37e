import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from corrente.servers import HomeInUse, claim_home, kept_port

HOLD = """
import sys
from pathlib import Path
from corrente.servers import claim_home
with claim_home(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_home_is_held_by_one_process_at_a_time(tmp_path: Path) -> None:
    with (
        claim_home(tmp_path / "home"),
        pytest.raises(HomeInUse) as caught,
        claim_home(tmp_path / "home"),
    ):
        pass

    assert caught.value.pid == os.getpid()


def test_home_is_free_after_its_holder_was_killed(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(HomeInUse) as caught, claim_home(tmp_path):
            pass
        holder.kill()

    assert caught.value.pid == holder.pid
    with claim_home(tmp_path):
        assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_port_stays_the_same_while_it_is_free(tmp_path: Path) -> None:
    port = kept_port(tmp_path, "nats")

    assert kept_port(tmp_path, "nats") == port
    assert kept_port(tmp_path, "bank") != port
    assert kept_port(tmp_path, "nats") == port


def test_port_that_somebody_took_is_replaced_for_good(tmp_path: Path) -> None:
    port = kept_port(tmp_path, "nats")

    with socket.create_server(("127.0.0.1", port)):
        other = kept_port(tmp_path, "nats")

    assert other != port
    assert kept_port(tmp_path, "nats") == other
