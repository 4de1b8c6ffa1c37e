import os
import secrets
import tempfile
from pathlib import Path

from config.errors import SecretExposed

SECRET_BYTES = 32  # 256 bits
FOR_GROUP_AND_OTHERS = 0o077


class Secrets:
    """Secrets that this installation made for itself, one file each under `home/secrets`.

    The first call for a name makes the secret, every later one, in any process, reads the same.
    Files have mode 0600 and their folder 0700. They come from the operating system's random
    source, not from the node's generator, which a test may seed.
    """

    def __init__(self, home: Path) -> None:
        self._folder = home / "secrets"

    def get(self, name: str) -> str:
        """Return the secret `name`, made on first use: 43 URL-safe characters, 256 bits.

        Args:
            name: File name, without a path.

        Raises:
            SecretExposed: The file may be read by others than its owner.
            OSError: The folder cannot be written, or the file not read.
        """
        path = self.path(name)
        if not path.exists():
            self._make(path)
        mode = path.stat().st_mode & 0o7777
        if mode & FOR_GROUP_AND_OTHERS:
            raise SecretExposed(path=path, mode=mode)
        return path.read_text(encoding="ascii").strip()

    def path(self, name: str) -> Path:
        """Return where the secret `name` lies or will lie; a server may read it from there."""
        assert name == Path(name).name, name
        return self._folder / name

    def _make(self, path: Path) -> None:
        """Write a new secret whole or not at all; of two processes at once, the first one wins."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=self._folder)  # makes it with mode 0600
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(secrets.token_urlsafe(SECRET_BYTES) + "\n")
                file.flush()
                os.fsync(file.fileno())
            try:
                os.link(temporary, path)  # unlike a rename it does not replace
            except FileExistsError:
                return
        finally:
            Path(temporary).unlink()
