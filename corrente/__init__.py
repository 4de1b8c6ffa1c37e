"""The command line and the root tree; imports every room, imported by none.

Loads nothing by itself: `corrente --help` must not wait for a database client.
"""

__all__: list[str] = []
