"""Entries: who may have which key, and what becomes of it (DICT API 2.12.1, Entry)."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import msgspec

from bacen.dict import (
    Account,
    CheckedKey,
    CheckKeysRequest,
    CheckKeysResponse,
    ContentAttributes,
    CreateEntryRequest,
    DeleteEntryRequest,
    DeleteEntryResponse,
    Entry,
    EntryResponse,
    GetEntryByCidRequest,
    GetEntryByCidResponse,
    NewEntry,
    Person,
    UpdateEntryRequest,
    content_id,
)
from bacen.simulator.dict.cids import ADDED, REMOVED, Cids
from bacen.simulator.dict.errors import DictRefusal, not_found
from bacen.simulator.dict.office import Asked, Office
from bacen.simulator.dict.restrictions import Restrictions
from bacen.simulator.dict.transactions import account_name

ENTRIES_MAX = {"NATURAL_PERSON": 5, "LEGAL_PERSON": 20}  # of one account
CREATE_REASONS = frozenset({"USER_REQUESTED", "RECONCILIATION"})
UPDATE_REASONS_EVP = frozenset({"BRANCH_TRANSFER", "RECONCILIATION", "RFB_VALIDATION"})
UPDATE_REASONS = UPDATE_REASONS_EVP | {"USER_REQUESTED"}
DELETE_REASONS = frozenset(
    {"USER_REQUESTED", "ACCOUNT_CLOSURE", "RECONCILIATION", "FRAUD", "RFB_VALIDATION"}
)
OWN_TAX_ID = frozenset({"CPF", "CNPJ"})

decode_entry = msgspec.json.Decoder(Entry).decode
encode_entry = msgspec.json.Encoder().encode


class Entries:
    """The keys.

    Args:
        office: Of the directory.
        cids: Told of every change.
        restrictions: Who may have no keys.
    """

    def __init__(self, office: Office, cids: Cids, restrictions: Restrictions) -> None:
        self._office = office
        self._store = office.store
        self._cids = cids
        self._restrictions = restrictions

    def seed(self, entries: Iterable[Entry]) -> None:
        """Put in what is known from the start, once."""
        if self._store.row("SELECT 1 FROM cid_events LIMIT 1") is None:
            for entry in entries:
                self._put(entry, self._office.new_random_id())

    def find(self, key: str) -> Entry | None:
        row = self._store.row("SELECT entry FROM entries WHERE key = ?", key)
        return None if row is None else decode_entry(row[0])

    def create(self, asked: Asked) -> EntryResponse:
        request: CreateEntryRequest = asked.request
        wanted = request.entry
        participant = wanted.account.participant
        self._office.require_own(asked.by, participant)
        if request.reason not in CREATE_REASONS:
            raise DictRefusal("InvalidReason", "not for createEntry", "Reason")
        made = self.made_by(participant, request.request_id)
        if made is not None:
            return EntryResponse(**asked.head, entry=self._again(wanted, request.request_id, made))
        self._restrictions.require_free(wanted.owner.tax_id_number)
        if wanted.key_type in OWN_TAX_ID and wanted.key != wanted.owner.tax_id_number:
            raise DictRefusal("EntryTaxIdNumberByDifferentOwner", "not the owner's", "Key")
        if wanted.key is not None:
            self._require_nobody_has(wanted.key, participant, wanted.owner)
        self.require_room(wanted.account, wanted.owner)
        now = self._office.now()
        entry = entry_of(wanted, wanted.key or str(self._office.new_random_id()), now, now)
        self.add(entry, request.request_id)
        return EntryResponse(**asked.head, entry=entry)

    def update(self, asked: Asked) -> EntryResponse:
        request: UpdateEntryRequest = asked.request
        entry = self._own(request.key, asked.by)
        allowed = UPDATE_REASONS_EVP if entry.key_type == "EVP" else UPDATE_REASONS
        if request.reason not in allowed:
            raise DictRefusal("InvalidReason", "not for updateEntry of this key", "Reason")
        account, owner = request.account or entry.account, request.owner or entry.owner
        if account.participant != entry.account.participant:
            raise DictRefusal("EntryInvalid", "another participant", "Account/Participant")
        if (owner.type, owner.tax_id_number) != (entry.owner.type, entry.owner.tax_id_number):
            raise DictRefusal("EntryInvalid", "another person", "Owner/TaxIdNumber")
        if name_of(account) != name_of(entry.account) and not self._has_room(account, owner):
            raise DictRefusal("EntryInvalid", "the account is full", "Account/AccountNumber")
        changed = msgspec.structs.replace(entry, account=account, owner=owner)
        self._put(changed, self.request_id(entry.key), entry)
        return EntryResponse(**asked.head, entry=changed)

    def delete(self, asked: Asked) -> DeleteEntryResponse:
        request: DeleteEntryRequest = asked.request
        self._office.require_own(asked.by, request.participant)
        entry = self._own(request.key, asked.by)
        if request.reason not in DELETE_REASONS:
            raise DictRefusal("InvalidReason", "not for deleteEntry", "Reason")
        if entry.open_claim_creation_date is not None:
            raise DictRefusal("EntryLockedByClaim", "a claim of it is open", "Key")
        self.remove(entry)
        return DeleteEntryResponse(**asked.head, key=entry.key)

    def check(self, asked: Asked) -> CheckKeysResponse:
        request: CheckKeysRequest = asked.request
        marks = ", ".join("?" * len(request.keys))
        sql = f"SELECT key FROM entries WHERE key IN ({marks})"  # noqa: S608 (only marks)
        known = {key for (key,) in self._store.rows(sql, request.keys)}
        keys = tuple(CheckedKey(key=key, has_entry=key in known) for key in request.keys)
        return CheckKeysResponse(**asked.head, keys=keys)

    def by_cid(self, asked: Asked) -> GetEntryByCidResponse:
        request: GetEntryByCidRequest = asked.request
        self._office.require_own(asked.by, request.participant)
        row = self._store.row("SELECT entry, request_id FROM entries WHERE cid = ?", request.cid)
        if row is None:
            raise not_found()
        entry = decode_entry(row[0])
        if entry.account.participant != request.participant:
            raise DictRefusal("Forbidden", "another participant's")
        return GetEntryByCidResponse(
            **asked.head, cid=request.cid, entry=entry, request_id=UUID(row[1])
        )

    def add(self, entry: Entry, request_id: UUID) -> None:
        """Make an entry and remember who asked for it."""
        self.remember(entry.account.participant, request_id, "entry", entry.key)
        self._put(entry, request_id)

    def remove(self, entry: Entry) -> None:
        """Take an entry out."""
        row = self._store.row("SELECT cid FROM entries WHERE key = ?", entry.key)
        assert row is not None  # it was found before
        self._store.run("DELETE FROM entries WHERE key = ?", entry.key)
        self._cids.record(REMOVED, entry.account.participant, entry.key_type, row[0])
        self._leave(entry)

    def claimed(self, key: str, since: datetime | None) -> None:
        """Note on an entry when the claim that is open was made; None: none is."""
        entry = self.find(key)
        if entry is not None:
            noted = msgspec.structs.replace(entry, open_claim_creation_date=since)
            sql = "UPDATE entries SET entry = ? WHERE key = ?"
            self._store.run(sql, encode_entry(noted), key)

    def request_id(self, key: str) -> UUID:
        """Give the RequestId of the request that made an entry."""
        row = self._store.row("SELECT request_id FROM entries WHERE key = ?", key)
        assert row is not None  # it was found before
        return UUID(row[0])

    def require_room(self, account: Account, owner: Person) -> None:
        """Refuse one key too many for an account.

        Raises:
            DictRefusal: EntryLimitExceeded.
        """
        if not self._has_room(account, owner):
            raise DictRefusal("EntryLimitExceeded", f"{ENTRIES_MAX[owner.type]} keys an account")

    def made_by(self, participant: str, request_id: UUID, what: str = "entry") -> str | None:
        """Tell what a RequestId of a participant has made already.

        Raises:
            DictRefusal: RequestIdAlreadyUsed, for something else.
        """
        sql = "SELECT what, made FROM requests WHERE participant = ? AND request_id = ?"
        row = self._store.row(sql, participant, str(request_id))
        if row is None:
            return None
        if row[0] != what:
            raise already_used()
        return str(row[1])

    def remember(self, participant: str, request_id: UUID, what: str, made: str) -> None:
        """Remember what a RequestId made."""
        sql = "INSERT OR REPLACE INTO requests VALUES (?, ?, ?, ?)"
        self._store.run(sql, participant, str(request_id), what, made)

    def _has_room(self, account: Account, owner: Person) -> bool:
        sql = "SELECT count(*) FROM entries WHERE account = ?"
        row = self._store.row(sql, name_of(account))
        return row is None or row[0] < ENTRIES_MAX[owner.type]

    def _again(self, wanted: NewEntry, request_id: UUID, key: str) -> Entry:
        """Answer a repeated request, as long as what it made is as it was asked for."""
        entry = self.find(key)
        row = self._store.row("SELECT cid FROM entries WHERE key = ?", key)
        is_its_key = wanted.key in (None, key)
        if entry is None or row is None or not is_its_key or wanted.key_type != entry.key_type:
            raise already_used()
        asked_for = entry_of(wanted, key, entry.creation_date, entry.key_ownership_date)
        if row[0] != cid_of(asked_for, request_id):
            raise already_used()
        return entry

    def _require_nobody_has(self, key: str, participant: str, owner: Person) -> None:
        entry = self.find(key)
        if entry is None:
            if self._is_changing_hands(key):
                raise DictRefusal("ResourceConflict", "a claim of it is open", "Entry/Key")
            return
        if entry.owner.tax_id_number != owner.tax_id_number:
            raise DictRefusal("EntryKeyOwnedByDifferentPerson", "claim its ownership", "Entry/Key")
        if entry.account.participant != participant:
            kind = "EntryKeyInCustodyOfDifferentParticipant"
            raise DictRefusal(kind, "claim its portability", "Entry/Key")
        raise DictRefusal("EntryAlreadyExists", "", "Entry/Key")

    def _is_changing_hands(self, key: str) -> bool:
        sql = "SELECT 1 FROM cases WHERE family = 'claim' AND subject = ? AND status = 'CONFIRMED'"
        return self._store.row(sql, key) is not None

    def _own(self, key: str, by: str) -> Entry:
        entry = self.find(key)
        if entry is None:
            raise not_found()
        self._office.require_own(by, entry.account.participant)
        return entry

    def _put(self, entry: Entry, request_id: UUID, before: Entry | None = None) -> None:
        participant, account = entry.account.participant, name_of(entry.account)
        cid = cid_of(entry, request_id)
        old = None if before is None else cid_of(before, request_id)
        self._store.run(
            "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            entry.key,
            entry.key_type,
            participant,
            account,
            entry.owner.tax_id_number,
            cid,
            str(request_id),
            encode_entry(entry),
        )
        if old == cid:
            return
        if before is not None and old is not None:
            self._cids.record(REMOVED, participant, entry.key_type, old)
            self._leave(before)
        self._cids.record(ADDED, participant, entry.key_type, cid)
        self._store.run(
            "INSERT OR REPLACE INTO holders VALUES (?, ?, ?, NULL)",
            entry.key,
            account,
            self._office.now_ms(),
        )

    def _leave(self, entry: Entry) -> None:
        self._store.run(
            "UPDATE holders SET until_ms = ? WHERE key = ? AND until_ms IS NULL",
            self._office.now_ms(),
            entry.key,
        )


def entry_of(wanted: NewEntry, key: str, created: datetime, owned: datetime) -> Entry:
    return Entry(
        key=key,
        key_type=wanted.key_type,
        account=wanted.account,
        owner=wanted.owner,
        creation_date=created,
        key_ownership_date=owned,
    )


def name_of(account: Account) -> str:
    """Write the account of an entry as `account_name` does."""
    return account_name(
        account.participant, account.branch, account.account_number, account.account_type
    )


def cid_of(entry: Entry, request_id: UUID) -> str:
    return content_id(ContentAttributes.of(entry), request_id)


def already_used() -> DictRefusal:
    return DictRefusal("RequestIdAlreadyUsed", "for something else", "RequestId")
