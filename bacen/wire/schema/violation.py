"""What a judge finds: where, which rule, and what the bank would answer."""

from typing import Final

import msgspec

REJECTION: Final = "admi.002"
VIOLATIONS_MAX: Final = 100  # of one message; a larger list helps nobody


class SchemaViolation(msgspec.Struct, frozen=True):
    """One breach of the schema, or of a rule beyond it.

    Attributes:
        path: The place, such as `/Envelope/Document/PmtRtr/TxInf[2]/RtrId`, attributes as `@Ccy`.
        rule: The rule that is broken: `unexpected_element`, `missing_element`, `pattern`, ...
        text: The rule in words, never the value.
        code: What the bank answers: `admi.002`, the rejection of a whole message, or a reason of
            pacs.002; None where the bank would see nothing.
        name: Name of a rule beyond the schema, such as `local_instrument_dict_needs_proxy`.
    """

    path: str
    rule: str
    text: str
    code: str | None = REJECTION
    name: str | None = None
