"""Whom DICT gives no key, and which keys it does not tell."""

from typing import Final

from bacen.simulator.dict.errors import DictRefusal
from bacen.simulator.dict.office import Office

REGISTERED: Final = "REGISTERED"
# A marker of these kinds says that the person takes part in the fraud.
MARKED = """
SELECT 1 FROM cases WHERE family = 'marker' AND status = 'REGISTERED' AND subject = ?
AND kind IN ('APPLICATION_FRAUD', 'MULE_ACCOUNT', 'SCAMMER_ACCOUNT')"""
MARKED_KEY = f"{MARKED} AND memo = ?"


class Restrictions:
    """What the tax authority and the fraud markers forbid.

    Args:
        office: Of the directory.
    """

    def __init__(self, office: Office) -> None:
        self._store = office.store
        self._blocked = frozenset(office.settings.blocked_tax_ids)

    def require_free(self, tax_id: str) -> None:
        """Refuse a key to who may have none.

        Raises:
            DictRefusal: TaxIdNumberBlocked, UserOrAccountWithFraudRelatedRestriction.
        """
        if tax_id in self._blocked:
            raise DictRefusal("TaxIdNumberBlocked", "by the tax authority", "TaxIdNumber")
        if self._store.row(MARKED, tax_id) is not None:
            kind = "UserOrAccountWithFraudRelatedRestriction"
            raise DictRefusal(kind, "a fraud marker is registered", "TaxIdNumber")

    def require_told(self, key: str, tax_id: str) -> None:
        """Refuse to tell a key that may receive nothing.

        Raises:
            DictRefusal: EntryBlocked, EntryWithFraudRelatedRestriction.
        """
        if tax_id in self._blocked:
            raise DictRefusal("EntryBlocked", "by the tax authority", "Key")
        if self._store.row(MARKED_KEY, tax_id, key) is not None:
            raise DictRefusal("EntryWithFraudRelatedRestriction", "a marker names it", "Key")
