"""A client of the HTTP interface, for the command line.

Import from here; the modules behind it may move.
"""

from corrente.client.payments import FINAL, Client, PayFailed, follow

__all__ = ["FINAL", "Client", "PayFailed", "follow"]
