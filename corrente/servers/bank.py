import sys
from pathlib import Path

from corrente.servers.home import RESTART_DELAY_MS, kept_port
from supervisors import ChildSpec, OsProcess, OsProcessSpec, Within, worker

READY_TIMEOUT_MS = 30_000
STOP_TIMEOUT_MS = 10_000
SHUTDOWN = Within(STOP_TIMEOUT_MS + 5_000)
READY_FILE = "ready.json"
# The Banco Central grants a participant 750; here one sends what in Brazil hundreds do.
EMBEDDED_PER_SECOND = 100_000
EMBEDDED_DICT_FACTOR = 1_000


def bank_home(home: Path) -> Path:
    """Return the folder of the central bank that runs beside a platform with this home."""
    return home / "bank"


def bank_child(home: Path, ispb: str, pi_balance_cents: int) -> ChildSpec:
    """Specify the simulated central bank as a process of its own, its data under `home/bank`.

    It is ready when it has written `ready.json`, which tells its addresses.

    Args:
        home: Data folder of this installation, claimed by the caller.
        ispb: The participant that speaks for itself: this platform.
        pi_balance_cents: Its PI account at the first start, in centavos.
    """
    folder = bank_home(home)
    ready_file = folder / READY_FILE
    argv = (
        *(sys.executable, "-m", "corrente", "bacen", "up"),
        *("--home", str(folder), "--ready-file", str(ready_file)),
        *("--port", str(kept_port(home, "bank")), "--admin-port", "0"),
        *("--secondary-port", str(kept_port(home, "bank-secondary"))),
        *("--icom-per-second", str(EMBEDDED_PER_SECOND)),
        *("--dict-rate-factor", str(EMBEDDED_DICT_FACTOR)),
        *("--participant", ispb, "--pi-balance-cents", str(pi_balance_cents)),
    )

    async def prepare() -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        ready_file.unlink(missing_ok=True)

    async def ready() -> bool:
        return ready_file.exists()

    spec = OsProcessSpec(
        name="bank",
        argv=argv,
        prepare=prepare,
        ready=ready,
        ready_timeout_ms=READY_TIMEOUT_MS,
        stop_timeout_ms=STOP_TIMEOUT_MS,
        pid_file=home / "bank.pid",
    )
    return worker(
        "bank",
        lambda: OsProcess(spec),
        name="bank",
        shutdown=SHUTDOWN,
        restart_delay_ms=RESTART_DELAY_MS,
    )
