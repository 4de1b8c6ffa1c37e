"""The command line; also `python -m corrente`."""

from corrente.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
