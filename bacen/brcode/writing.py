"""Writing a BR Code. What is written is read again: one set of rules for both."""

from bacen import InvalidBrCode
from bacen.brcode.code import BrCode
from bacen.brcode.reading import ACCOUNT, ADDITIONAL, RECURRENCE, read
from bacen.brcode.rules import NO_TXID, PIX
from bacen.brcode.tlv import CHECKSUM_HEAD, VALUE_CHARACTERS_MAX, checksum, field

AMOUNT_CENTS_MAX = 10**12 - 1  # ten digits, a point, two decimals


def make(code: BrCode) -> str:
    """Write a code; reading the text gives the same code and bends no rule.

    Raises:
        InvalidBrCode: A field breaks or bends a rule; the first of them.
    """
    payload = _payload(code)
    reading = read(payload)
    for rule in (*reading.violations, *reading.deviations):
        raise InvalidBrCode(rule.path, rule.text)
    if reading.code != code:
        raise InvalidBrCode("payload", "a value stands for its absence")
    return payload


def _payload(code: BrCode) -> str:
    account = _template(
        ACCOUNT,
        {
            "00": PIX,
            "01": code.key,
            "02": code.information,
            "03": code.withdrawal_ispb,
            "25": code.location,
        },
    )
    recurrence = None
    if code.recurrence is not None:
        recurrence = _template(RECURRENCE, {"00": PIX, "25": code.recurrence})
    body = _fields(
        "",
        {
            "00": "01",
            "01": "12" if code.is_single_use else None,
            ACCOUNT: account,
            "52": "0000",
            "53": "986",
            "54": None if code.amount_cents is None else _amount(code.amount_cents),
            "58": "BR",
            "59": code.merchant_name,
            "60": code.merchant_city,
            "61": code.postal_code,
            ADDITIONAL: _template(ADDITIONAL, {"05": code.txid or NO_TXID}),
            RECURRENCE: recurrence,
        },
    )
    try:
        return body + CHECKSUM_HEAD + checksum(body + CHECKSUM_HEAD)
    except UnicodeEncodeError:
        raise InvalidBrCode("payload", "must be text that UTF-8 can write") from None


def _template(tag: str, fields: dict[str, str | None]) -> str:
    content = _fields(tag, fields)
    if len(content) > VALUE_CHARACTERS_MAX:
        raise InvalidBrCode(tag, f"must hold at most {VALUE_CHARACTERS_MAX} characters in all")
    return content


def _fields(within: str, fields: dict[str, str | None]) -> str:
    written = []
    for tag, value in fields.items():
        if value is None:
            continue
        if not 0 < len(value) <= VALUE_CHARACTERS_MAX:
            path = f"{within}/{tag}" if within else tag
            raise InvalidBrCode(path, f"must hold 1 to {VALUE_CHARACTERS_MAX} characters")
        written.append(field(tag, value))
    return "".join(written)


def _amount(cents: int) -> str:
    if type(cents) is not int or not 0 < cents <= AMOUNT_CENTS_MAX:
        raise InvalidBrCode("54", "must be whole centavos from 1, at most twelve digits")
    return f"{cents // 100}.{cents % 100:02d}"
