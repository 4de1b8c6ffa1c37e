"""The runs of a bank on its disk: one JSON file each, replaced whole."""

from pathlib import Path

import msgspec

from bacen.simulator.cockpit.run import RUNNING, Run
from bacen.simulator.errors import NOT_JSON

RUNS_MAX = 200  # then the oldest that has ended is forgotten
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Run).decode


class RunFiles:
    """Keeps runs under `cockpit/` of the bank's home.

    Args:
        home: Of the bank.
    """

    def __init__(self, home: Path) -> None:
        self._folder = home / "cockpit"

    def load(self) -> dict[str, Run]:
        """Read all runs, by id in the order of their beginning.

        What is no run, or one of another script, is left alone.
        """
        runs: list[Run] = []
        for path in self._folder.glob("*.json"):
            try:
                run = _decode(path.read_bytes())
            except (*NOT_JSON, OSError):
                continue
            if run.fits_script:
                runs.append(run)
        return {each.id: each for each in sorted(runs, key=lambda each: (each.began_ms, each.id))}

    def save(self, run: Run) -> None:
        """Replace the file of a run."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._folder / f"{run.id}.draft"
        draft.write_bytes(_encode(run))
        draft.replace(self._folder / f"{run.id}.json")

    def forget_old(self, runs: dict[str, Run]) -> None:
        """Drop the oldest runs beyond the number that is kept."""
        ended = [each.id for each in runs.values() if each.state != RUNNING]
        for run_id in ended[: max(0, len(runs) - RUNS_MAX)]:
            del runs[run_id]
            (self._folder / f"{run_id}.json").unlink(missing_ok=True)
