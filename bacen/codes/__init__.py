"""What the codes of the SPI and DICT mean, in our words.

The table is `meanings.csv`: status and reasons of pacs.002, reasons of pacs.004, error types of
DICT API 2.12.1, the words of our central bank's admi.002, and the codes of a pacs.008.
"""

from bacen.codes.table import Meaning, explain, load_meanings, near

__all__ = [
    "Meaning",
    "explain",
    "load_meanings",
    "near",
]
