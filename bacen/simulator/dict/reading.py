"""getEntry: which account a key leads to, told to who means to pay."""

import msgspec

from bacen.dict import GetEntryRequest, GetEntryResponse
from bacen.simulator.dict.entries import Entries
from bacen.simulator.dict.errors import DictRefusal, not_found
from bacen.simulator.dict.office import Asked, Office
from bacen.simulator.dict.restrictions import Restrictions
from bacen.simulator.dict.statistics import Statistics
from bacen.wire import is_end_to_end_id

END_TO_END_ID = "PI-EndToEndId"


class KeyReading(msgspec.Struct, frozen=True):
    """What the answer is made of."""

    office: Office
    entries: Entries
    restrictions: Restrictions
    statistics: Statistics

    def get(self, asked: Asked) -> GetEntryResponse:
        """Tell a key.

        Raises:
            DictRefusal: BadRequest, NotFound, EntryCannotBeQueriedForBookTransfer, EntryBlocked,
                EntryWithFraudRelatedRestriction, Forbidden, ParticipantInvalid.
        """
        request: GetEntryRequest = asked.request
        self.office.require_own(asked.by, request.participant)
        if not is_end_to_end_id(request.end_to_end_id):
            raise DictRefusal("BadRequest", "no EndToEndId", END_TO_END_ID)
        entry = self.entries.find(request.key)
        if entry is None:
            raise not_found()
        if entry.account.participant == request.participant:
            raise DictRefusal("EntryCannotBeQueriedForBookTransfer", "it is yours", "Key")
        tax_id = entry.owner.tax_id_number
        self.restrictions.require_told(entry.key, tax_id)
        if not request.include_statistics:
            return GetEntryResponse(**asked.head, entry=entry)
        return GetEntryResponse(
            **asked.head,
            entry=entry,
            owner_statistics=self.statistics.of_person(tax_id),
            key_statistics=self.statistics.of_key(entry.key, tax_id),
        )
