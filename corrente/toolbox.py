"""Judges of the toolbox: BR Codes, CIDs, VSync, identifiers and codes as verdicts.

None of them repeats what it judges in a violation: a key or a name may be in it.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import msgspec

from bacen import BrokenRule, InvalidBrCode, InvalidKey, InvalidMessage
from bacen.brcode import BrCode, make, read
from bacen.codes import explain, load_meanings, near
from bacen.dict import (
    Cid,
    ContentAttributes,
    VSync,
    content_id,
    is_content_id,
    parse_cid,
    parse_key,
)
from bacen.identifiers import FORMS, IdentifierKind, check
from bacen.wire import cents_to_text, text_to_cents
from corrente.verdicts import Judge, Verdict, refused, verdict_of

VIOLATIONS_MAX = 100

T = TypeVar("T")


class CodeOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A BR Code to be written.

    Attributes:
        amount: BRL, such as `10.50`.
        information: Text for the payer.
        withdrawal_ispb: PSP that serves a cash withdrawal.
        location: Address of a charge, without `https://`.
        recurrence: Address of a recurrence, without `https://`.
        single_use: It must not be paid twice.
    """

    name: str
    city: str
    key: str | None = None
    amount: str | None = None
    txid: str | None = None
    information: str | None = None
    withdrawal_ispb: str | None = None
    location: str | None = None
    recurrence: str | None = None
    postal_code: str | None = None
    single_use: bool = False


class EntryOrder(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An entry whose CID is wanted; with `cid`, whether that is its CID."""

    request_id: UUID
    key_type: str
    key: str
    owner_tax_id: str
    owner_name: str
    owner_trade_name: str = ""
    participant: str
    branch: str = ""
    account_number: str
    account_type: str
    cid: str | None = None


def text_judge(judge: Callable[[str], Verdict]) -> Judge:
    """Judge texts only."""

    def judge_value(value: Any) -> Verdict:
        if not isinstance(value, str):
            return refused("text", "text", "must be text")
        return judge(value)

    return judge_value


def brcode_judge(*, is_strict: bool) -> Judge:
    """Judge BR Codes; a strict judge takes what codes in use bend for broken."""

    def judge(text: str) -> Verdict:
        reading = read(text)
        violations = reading.violations + (reading.deviations if is_strict else ())
        more = {"deviations": reading.deviations, "fields": reading.fields}
        if reading.code is None or violations:
            return verdict_of(violations, **more)
        told = f"{reading.code.kind} BR Code"
        return Verdict(told, (), {**more, "code": _shown(reading.code)})

    return text_judge(judge)


def judge_code_order(value: Any) -> Verdict:
    """Write the BR Code of a `CodeOrder`; the message is the code."""
    order = _order(value, CodeOrder)
    if isinstance(order, Verdict):
        return order
    try:
        key = None if order.key is None else parse_key(order.key).value
        cents = None if order.amount is None else text_to_cents(order.amount)
        text = make(
            BrCode(
                merchant_name=order.name,
                merchant_city=order.city,
                key=key,
                information=order.information,
                withdrawal_ispb=order.withdrawal_ispb,
                amount_cents=cents,
                txid=order.txid,
                location=order.location,
                recurrence=order.recurrence,
                postal_code=order.postal_code,
                is_single_use=order.single_use,
            )
        )
    except InvalidKey as error:
        return refused("key", "key", error.problem)
    except (InvalidMessage, InvalidBrCode) as error:
        return refused(error.path, "brcode", error.problem)
    return Verdict(text, (), {"text": text})


def judge_entry_order(value: Any) -> Verdict:
    """Compute the CID of an `EntryOrder`; the message is the CID."""
    order = _order(value, EntryOrder)
    if isinstance(order, Verdict):
        return order
    names = ContentAttributes.__slots__
    try:
        attributes = ContentAttributes(**{name: getattr(order, name) for name in names})
        stated = None if order.cid is None else parse_cid(order.cid)
    except InvalidMessage as error:
        return refused(error.path, "cid", error.problem)
    if stated is not None and not is_content_id(stated, attributes, order.request_id):
        return refused("cid", "cid_mismatch", "is not the CID of this entry")
    cid = content_id(attributes, order.request_id)
    return Verdict(cid, (), {"cid": cid})


def vsync_judge(start: VSync) -> Judge:
    """Judge sets of CIDs parted by white space; the message is the verifier."""

    def judge(text: str) -> Verdict:
        return judge_cids(text.split(), start)

    return text_judge(judge)


def judge_cids(lines: Iterable[str], start: VSync) -> Verdict:
    """Compute the verifier of a set of CIDs, one a line, on top of `start`."""
    cids: set[Cid] = set()
    vsync = start
    violations: list[BrokenRule] = []
    for number, line in enumerate(lines, start=1):
        if len(violations) >= VIOLATIONS_MAX:
            break
        if not line.strip():
            continue
        path = f"line {number}"
        try:
            cid = parse_cid(line.strip(), path)
        except InvalidMessage as error:
            violations.append(BrokenRule(path, "cid", error.problem))
            continue
        if cid in cids:
            violations.append(BrokenRule(path, "cid_twice", "came before"))
        cids.add(cid)
        vsync = vsync.added(cid)
    if violations:
        return verdict_of(tuple(violations))
    return Verdict(str(vsync), (), {"vsync": str(vsync), "count": len(cids)})


def identifier_judge(kind: IdentifierKind, received_at: datetime | None) -> Judge:
    """Judge identifiers of one kind; the message says whose and from when they are."""

    def judge(text: str) -> Verdict:
        found = check(kind, text, received_at=received_at)
        if found.violations:
            return verdict_of(found.violations, kind=kind.value)
        told = FORMS[kind].name
        more: dict[str, object] = {"kind": kind.value}
        if found.ispb is not None:
            told += f" of {found.ispb}"
            more["ispb"] = found.ispb
        if found.at is not None:
            more["at"] = found.at
            told += f", {found.at:%Y-%m-%d %H:%M} UTC"
        return Verdict(told, (), more)

    return text_judge(judge)


def code_judge() -> Judge:
    """Explain codes; the message holds every meaning."""
    meanings = load_meanings()

    def judge(text: str) -> Verdict:
        found = explain(text, meanings)
        if found:
            told = "; ".join(f"{each.where}: {each.text}" for each in found)
            return Verdict(told, (), {"meanings": found})
        like = near(text, meanings)
        hint = f"is unknown; near: {', '.join(like)}" if like else "is unknown"
        return verdict_of((BrokenRule("code", "unknown_code", hint),), near=like)

    return text_judge(judge)


def _order(value: Any, kind: type[T]) -> T | Verdict:
    """Read an order out of an object, or out of text that holds one."""
    try:
        if isinstance(value, str):
            return msgspec.json.decode(value, type=kind)
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        return refused("text", "fields", str(error))
    except (msgspec.DecodeError, RecursionError):
        return refused("text", "json", "must be a JSON object")


def _shown(code: BrCode) -> dict[str, object]:
    """The code with its amount as decimal text, without what it does not say."""
    shown = {name: value for name, value in asdict(code).items() if value is not None}
    if code.amount_cents is not None:
        del shown["amount_cents"]
        shown["amount"] = cents_to_text(code.amount_cents)
    return {"kind": code.kind, **shown}
