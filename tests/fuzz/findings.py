"""An input that broke a promise, in a file, to be read again."""

import base64
import traceback
from pathlib import Path

import msgspec

KEPT_MAX = 3  # of one place in the code


class Finding(msgspec.Struct, frozen=True):
    """What was found.

    Attributes:
        target: Who read it.
        inputs: In base64, the last one is to blame; a door has the ones before it too.
        problem: The error and where it came from.
    """

    target: str
    inputs: tuple[str, ...]
    problem: str

    def bytes_of_inputs(self) -> list[bytes]:
        return [base64.b64decode(each) for each in self.inputs]


def read_finding(path: Path) -> Finding:
    return msgspec.json.decode(path.read_bytes(), type=Finding)


class Findings:
    """Writes findings to a folder, a few of each kind.

    Args:
        folder: Made when there is something to write.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.counts: dict[str, int] = {}
        self.files: list[Path] = []

    def add(self, target: str, inputs: list[bytes], problem: str) -> None:
        """Keep one; the problem's last line tells its kind."""
        kind = f"{target}: {problem.strip().splitlines()[-1]}"
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if self.counts[kind] > KEPT_MAX:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        number = len(list(self._folder.glob(f"{target}-*.json"))) + 1
        path = self._folder / f"{target}-{number}.json"
        encoded = tuple(base64.b64encode(each).decode() for each in inputs)
        path.write_bytes(msgspec.json.encode(Finding(target, encoded, problem)))
        self.files.append(path)


def words_of(error: BaseException) -> str:
    """The end of a traceback, and as its last line the error and its place: the kind of it."""
    lines = traceback.format_exception(error, limit=-4)
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "nowhere"
    return "".join(lines) + f"{type(error).__name__} at {place}"
