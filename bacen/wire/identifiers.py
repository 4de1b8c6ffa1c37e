"""Identifiers of SPI: chosen by the sender, checked by everybody (BCB catalogue 5.13)."""

from datetime import UTC, datetime

from bacen.wire.fields import END_TO_END_ID, MESSAGE_ID, require, require_instant

SPI_ISPB = "00038166"  # the SPI itself; an ISPB may hold letters, never read it as a number


def message_id(ispb: str, suffix23: str) -> str:
    """Build a message id: `M`, the sender's ISPB, 23 letters or digits of the sender's choice.

    Raises:
        InvalidMessage: A part has the wrong form.
    """
    built = f"M{ispb}{suffix23}"
    require(MESSAGE_ID, built, "message_id")
    return built


def make_end_to_end_id(ispb: str, at: datetime, suffix11: str) -> str:
    """Build an EndToEndId: `E`, ISPB of the payer PSP, UTC minute, 11 letters or digits.

    SPI refuses (FF08) an id whose minute is more than 12 hours off.

    Raises:
        InvalidMessage: A part has the wrong form.
    """
    require_instant(at, "end_to_end_id")
    built = f"E{ispb}{at.astimezone(UTC):%Y%m%d%H%M}{suffix11}"
    require(END_TO_END_ID, built, "end_to_end_id")
    return built


def is_end_to_end_id(text: str) -> bool:
    """Say whether the text has the form of an EndToEndId of a payment."""
    return END_TO_END_ID.fullmatch(text) is not None
