"""Text of a pacs.008 document: `pacs.008.spi.1.16`, BCB catalogue 5.13."""

import re

from bacen import InvalidMessage
from bacen.wire.fields import (
    cents_to_text,
    escape,
    instant_to_text,
    text_to_cents,
    text_to_count,
    text_to_instant,
    unescape,
)
from bacen.wire.grammar import TEXT, element, nested, optional, wrap
from bacen.wire.header import Header, read_repeated
from bacen.wire.messages import (
    AccountId,
    CashOut,
    CashPart,
    CreditTransfer,
    Pacs008,
    Tax,
    TaxRecord,
)

DEFINITION = "pacs.008.spi.1.16"
NAMESPACE = "https://www.bcb.gov.br/pi/pacs.008/1.16"

_AMOUNT = 'Ccy="BRL"'
_ACCOUNT = nested("Id/Othr", element("Id", TEXT) + optional(element("Issr", TEXT))) + nested(
    "Tp/Cd"
)
_TAX_RECORD = element(
    "Rcrd",
    element("Tp", TEXT),
    element("Ctgy", "INF"),
    nested("TaxAmt", element("TtlAmt", TEXT, attributes=" " + _AMOUNT)),
)
_CASH_PART = element(
    "AdjstmntAmtAndRsn", element("Amt", TEXT, attributes=" " + _AMOUNT), element("Rsn", TEXT)
)
_REMITTANCE = element(
    "RmtInf",
    optional(element("Ustrd", TEXT)),
    optional(
        element(
            "Strd",
            nested("RfrdDocInf/Tp", nested("CdOrPrtry/Prtry") + element("Issr", TEXT)),
            element("RfrdDocAmt", _CASH_PART, optional(_CASH_PART)),
        )
    ),
)
_TRANSFER = re.compile(
    element(
        "CdtTrfTxInf",
        element(
            "PmtId",
            optional(element("InstrId", TEXT)),
            element("EndToEndId", TEXT),
            optional(element("TxId", TEXT)),
        ),
        element("IntrBkSttlmAmt", TEXT, attributes=" " + _AMOUNT),
        element("AccptncDtTm", TEXT),
        element("ChrgBr", "SLEV"),
        nested("MndtRltdInf/Tp/LclInstrm/Prtry"),
        optional(nested("InitgPty/Id/OrgId/Othr/Id")),
        element("Dbtr", element("Nm", TEXT), nested("Id/PrvtId/Othr/Id")),
        element("DbtrAcct", _ACCOUNT),
        nested("DbtrAgt/FinInstnId/ClrSysMmbId/MmbId"),
        nested("CdtrAgt/FinInstnId/ClrSysMmbId/MmbId"),
        nested("Cdtr/Id/PrvtId/Othr/Id"),
        element("CdtrAcct", _ACCOUNT, optional(nested("Prxy/Id"))),
        nested("Purp/Cd"),
        optional(element("Tax", element("RefNb", TEXT), _TAX_RECORD, _TAX_RECORD)),
        optional(_REMITTANCE),
    )
)
_TAX_AT, _REMITTANCE_AT, _CASH_AT = 20, 25, 26  # where the groups of the optional parts begin
_START = re.compile(
    "<Document><FIToFICstmrCdtTrf>"
    + element(
        "GrpHdr",
        element("MsgId", TEXT),
        element("CreDtTm", TEXT),
        element("NbOfTxs", TEXT),
        nested("SttlmInf/SttlmMtd", "CLRG"),
        element("PmtTpInf", element("InstrPrty", TEXT), nested("SvcLvl/Prtry")),
    )
)
_END = "</FIToFICstmrCdtTrf></Document>"


def write(message: Pacs008, created: str) -> str:
    """Write the Document element without its namespace; `created` is `CreDt` as text."""
    count = message.declared_count
    return (
        "<Document><FIToFICstmrCdtTrf><GrpHdr>"
        f"<MsgId>{message.message_id}</MsgId><CreDtTm>{created}</CreDtTm>"
        f"<NbOfTxs>{len(message.transfers) if count is None else count}</NbOfTxs>"
        "<SttlmInf><SttlmMtd>CLRG</SttlmMtd></SttlmInf>"
        f"<PmtTpInf><InstrPrty>{message.priority}</InstrPrty>"
        f"<SvcLvl><Prtry>{message.service_level}</Prtry></SvcLvl></PmtTpInf></GrpHdr>"
        f"{''.join(map(_transfer, message.transfers))}{_END}"
    )


def read(header: Header, document: str) -> Pacs008:
    """Read the canonical Document element, its namespace removed.

    Raises:
        InvalidMessage: It does not follow the schema.
    """
    start = _START.match(document)
    if start is None:
        raise InvalidMessage("Document/FIToFICstmrCdtTrf/GrpHdr", "does not follow the schema")
    message_id, created, count, priority, service_level = start.groups()
    header.require_same(message_id, created)
    declared = text_to_count(count, "NbOfTxs")
    transfers = read_repeated(document, start.end(), _TRANSFER, _read_transfer, _END)
    return Pacs008(
        sender=header.sender,
        receiver=header.receiver,
        message_id=message_id,
        created_at=header.created_at,
        transfers=transfers,
        priority=priority,
        service_level=service_level,
        declared_count=None if declared == len(transfers) else declared,
    )


def _transfer(transfer: CreditTransfer) -> str:
    instruction, transaction = transfer.instruction_id, transfer.transaction_id
    initiator = transfer.initiator_cnpj
    return (
        "<CdtTrfTxInf><PmtId>"
        f"{'' if instruction is None else f'<InstrId>{instruction}</InstrId>'}"
        f"<EndToEndId>{transfer.end_to_end_id}</EndToEndId>"
        f"{'' if transaction is None else f'<TxId>{transaction}</TxId>'}</PmtId>"
        f"{_amount('IntrBkSttlmAmt', transfer.amount_cents)}"
        f"<AccptncDtTm>{instant_to_text(transfer.accepted_at)}</AccptncDtTm>"
        "<ChrgBr>SLEV</ChrgBr><MndtRltdInf><Tp><LclInstrm>"
        f"<Prtry>{transfer.local_instrument}</Prtry></LclInstrm></Tp></MndtRltdInf>"
        f"{'' if initiator is None else wrap('InitgPty/Id/OrgId/Othr/Id', initiator)}"
        f"<Dbtr><Nm>{escape(transfer.debtor_name)}</Nm><Id><PrvtId><Othr>"
        f"<Id>{transfer.debtor_tax_id}</Id></Othr></PrvtId></Id></Dbtr>"
        f"<DbtrAcct>{_account(transfer.debtor_account)}</DbtrAcct>"
        "<DbtrAgt><FinInstnId><ClrSysMmbId>"
        f"<MmbId>{transfer.debtor_ispb}</MmbId></ClrSysMmbId></FinInstnId></DbtrAgt>"
        "<CdtrAgt><FinInstnId><ClrSysMmbId>"
        f"<MmbId>{transfer.creditor_ispb}</MmbId></ClrSysMmbId></FinInstnId></CdtrAgt>"
        "<Cdtr><Id><PrvtId><Othr>"
        f"<Id>{transfer.creditor_tax_id}</Id></Othr></PrvtId></Id></Cdtr>"
        f"<CdtrAcct>{_account(transfer.creditor_account)}{_key(transfer.creditor_key)}</CdtrAcct>"
        f"<Purp><Cd>{transfer.purpose}</Cd></Purp>{_tax(transfer.tax)}"
        f"{_remittance(transfer.remittance, transfer.cash)}</CdtTrfTxInf>"
    )


def _amount(name: str, cents: int) -> str:
    return f"<{name} {_AMOUNT}>{cents_to_text(cents)}</{name}>"


def _account(account: AccountId) -> str:
    branch = "" if account.branch is None else f"<Issr>{account.branch}</Issr>"
    return (
        f"<Id><Othr><Id>{account.number}</Id>{branch}</Othr></Id><Tp><Cd>{account.type}</Cd></Tp>"
    )


def _key(key: str | None) -> str:
    return "" if key is None else f"<Prxy><Id>{escape(key)}</Id></Prxy>"


def _tax(tax: Tax | None) -> str:
    if tax is None:
        return ""
    records = "".join(
        f"<Rcrd><Tp>{record.type}</Tp><Ctgy>INF</Ctgy>"
        f"<TaxAmt>{_amount('TtlAmt', record.amount_cents)}</TaxAmt></Rcrd>"
        for record in tax.records
    )
    return f"<Tax><RefNb>{tax.document_number}</RefNb>{records}</Tax>"


def _remittance(text: str | None, cash: CashOut | None) -> str:
    if text is None and cash is None:
        return ""
    free = "" if text is None else f"<Ustrd>{escape(text)}</Ustrd>"
    return f"<RmtInf>{free}{_cash(cash)}</RmtInf>"


def _cash(cash: CashOut | None) -> str:
    if cash is None:
        return ""
    parts = "".join(
        f"<AdjstmntAmtAndRsn>{_amount('Amt', part.amount_cents)}"
        f"<Rsn>{part.reason}</Rsn></AdjstmntAmtAndRsn>"
        for part in cash.parts
    )
    return (
        f"<Strd><RfrdDocInf><Tp><CdOrPrtry><Prtry>{cash.facilitator}</Prtry></CdOrPrtry>"
        f"<Issr>{cash.facilitator_ispb}</Issr></Tp></RfrdDocInf>"
        f"<RfrdDocAmt>{parts}</RfrdDocAmt></Strd>"
    )


def _read_transfer(found: re.Match[str]) -> CreditTransfer:
    parts = found.groups()
    (
        instruction, end_to_end_id, transaction, amount, accepted, instrument, initiator,
        debtor_name, debtor_tax_id, debtor_number, debtor_branch, debtor_type,
        debtor_ispb, creditor_ispb,
        creditor_tax_id, creditor_number, creditor_branch, creditor_type, key, purpose,
    ) = parts[:_TAX_AT]  # fmt: skip
    remittance = parts[_REMITTANCE_AT]
    return CreditTransfer(
        end_to_end_id=end_to_end_id,
        amount_cents=text_to_cents(amount),
        accepted_at=text_to_instant(accepted, "accepted_at"),
        local_instrument=instrument,
        debtor_name=unescape(debtor_name, "debtor_name"),
        debtor_tax_id=debtor_tax_id,
        debtor_account=AccountId(debtor_number, debtor_type, debtor_branch),
        debtor_ispb=debtor_ispb,
        creditor_ispb=creditor_ispb,
        creditor_tax_id=creditor_tax_id,
        creditor_account=AccountId(creditor_number, creditor_type, creditor_branch),
        creditor_key=None if key is None else unescape(key, "creditor_key"),
        purpose=purpose,
        transaction_id=transaction,
        instruction_id=instruction,
        initiator_cnpj=initiator,
        remittance=None if remittance is None else unescape(remittance, "remittance"),
        tax=None if parts[_TAX_AT] is None else _read_tax(parts[_TAX_AT:_REMITTANCE_AT]),
        cash=None if parts[_CASH_AT] is None else _read_cash(parts[_CASH_AT:]),
    )


def _read_tax(parts: tuple[str, ...]) -> Tax:
    number, first, first_amount, second, second_amount = parts
    return Tax(
        number,
        (
            TaxRecord(first, text_to_cents(first_amount)),
            TaxRecord(second, text_to_cents(second_amount)),
        ),
    )


def _read_cash(parts: tuple[str, ...]) -> CashOut:
    facilitator, ispb, amount, reason, second_amount, second_reason = parts
    read = [CashPart(reason, text_to_cents(amount))]
    if second_amount is not None:
        read.append(CashPart(second_reason, text_to_cents(second_amount)))
    return CashOut(facilitator, ispb, tuple(read))
