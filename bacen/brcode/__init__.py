"""BR Code: the text behind the QR codes of Pix, and of "Pix copia e cola".

`read` judges a text and names each rule that it breaks, `parse` answers with the code or an
error, `make` writes one. Tags and lengths are those of EMV's merchant-presented mode, the content
is that of the Manual de Padrões para Iniciação do Pix. Lengths count characters, the checksum
covers the bytes of UTF-8.
"""

from bacen import BrokenRule, InvalidBrCode
from bacen.brcode.code import BrCode, Kind
from bacen.brcode.due_date import last_payable_day, next_business_day
from bacen.brcode.reading import Reading, parse, read
from bacen.brcode.tlv import PAYLOAD_CHARACTERS_MAX, Fields, checksum
from bacen.brcode.writing import make

__all__ = [
    "PAYLOAD_CHARACTERS_MAX",
    "BrCode",
    "BrokenRule",
    "Fields",
    "InvalidBrCode",
    "Kind",
    "Reading",
    "checksum",
    "last_payable_day",
    "make",
    "next_business_day",
    "parse",
    "read",
]
