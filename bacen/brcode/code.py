"""What a BR Code says."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["static", "dynamic", "recurrence", "static+recurrence", "dynamic+recurrence"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BrCode:
    """One code: a key (static), the location of a charge (dynamic), a recurrence, or two of them.

    Its text does not show the key or the name.

    Attributes:
        merchant_name: Who is paid, 1 to 25 characters.
        merchant_city: 1 to 15 characters.
        key: Static: Pix key in its written form.
        information: Static: text for the payer; with key and ISPB what a template of 99
            characters has room for.
        withdrawal_ispb: Static: ISPB of the PSP that serves a cash withdrawal.
        amount_cents: Static: centavos, 1 to 10^12 - 1; None lets the payer choose.
        txid: Static: 1 to 25 letters and digits; None is written `***`.
        location: Dynamic: address of the charge without `https://`, at most 77 characters.
        recurrence: Pix Automático: address of the recurrence, written like `location`.
        postal_code: CEP, eight digits.
        is_single_use: The code must not be paid twice.
    """

    merchant_name: str
    merchant_city: str
    key: str | None = None
    information: str | None = None
    withdrawal_ispb: str | None = None
    amount_cents: int | None = None
    txid: str | None = None
    location: str | None = None
    recurrence: str | None = None
    postal_code: str | None = None
    is_single_use: bool = False

    @property
    def kind(self) -> Kind:
        """Which of the forms this is."""
        if self.location is not None:
            return "dynamic" if self.recurrence is None else "dynamic+recurrence"
        if self.key is not None:
            return "static" if self.recurrence is None else "static+recurrence"
        return "recurrence"

    def __repr__(self) -> str:
        return f"BrCode({self.kind})"
