from pathlib import Path

import structlog

from corrente.log import LogFile


def test_full_disk_loses_lines_and_fails_nobody() -> None:
    with Path("/dev/full").open("ab", buffering=0) as raw:
        stream = LogFile(raw, encoding="utf-8", write_through=True)
        log = structlog.wrap_logger(structlog.PrintLogger(stream))

        log.warning("nobody reads this")
        stream.close()


def test_line_is_in_the_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with (
        path.open("ab", buffering=0) as raw,
        LogFile(raw, encoding="utf-8", write_through=True) as stream,
    ):
        print("São Paulo", file=stream)

        assert path.read_text(encoding="utf-8") == "São Paulo\n"
