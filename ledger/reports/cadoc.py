"""CADOC 4010, the monthly analytic trial balance, as XML.

Made after public descriptions of the file; no official schema was at hand. Validate it against
the current one before it is sent.
"""

from enum import StrEnum
from typing import Final

from lxml import etree

from ledger.reports.amounts import signed_text
from ledger.reports.errors import CannotFile
from ledger.reports.period import is_month_end
from ledger.reports.trial_balance import TrialBalance

DOCUMENT: Final = "4010"
DECLARATION: Final = b'<?xml version="1.0" encoding="UTF-8"?>\n'


class Submission(StrEnum):
    """What a file is to the central bank ("tipoRemessa").

    `INCLUSION` is also the next attempt after a rejected one; `REPLACEMENT` takes the place of a
    file that was accepted.
    """

    INCLUSION = "I"
    REPLACEMENT = "S"


def cadoc_4010(balance: TrialBalance, submission: Submission = Submission.INCLUSION) -> bytes:
    """Write the document; the same trial balance gives the same bytes.

    Every rubric of any level whose closing balance is not zero is in it, in the order of codes,
    with its balance in its own nature. The institution is named by the first eight digits of its
    CNPJ, which are its ISPB.

    Raises:
        CannotFile: The trial balance does not add up, or does not end with a month.
    """
    if not balance.ok:
        raise CannotFile("the trial balance does not add up")
    if not is_month_end(balance.last):
        raise CannotFile(f"a CADOC 4010 ends with a month, not on {balance.last.isoformat()}")
    document = etree.Element(
        "documento",
        {
            "codigoDocumento": DOCUMENT,
            "cnpj": balance.tenant,
            "dataBase": f"{balance.last:%Y-%m}",
            "tipoRemessa": submission.value,
        },
    )
    accounts = etree.SubElement(document, "contas")
    for line in balance.lines:
        if line.closing_cents:
            attributes = {
                "codigoConta": line.rubric.code.ten_digits,
                "saldo": signed_text(line.closing_cents),
            }
            etree.SubElement(accounts, "conta", attributes)
    return DECLARATION + etree.tostring(document, encoding="UTF-8", pretty_print=True)
