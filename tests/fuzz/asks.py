"""Requests to the doors of a bank: right ones, bent in their paths, headers and bodies."""

import contextlib
import gzip
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from bacen import WireError
from bacen.dict import OPERATIONS, encode_request
from bacen.icom import Part, build_multipart
from bacen.simulator import RunningBank
from bacen.str import StrMessage, operation_number, write_message
from bacen.wire import Message, Pibr001, encode, make_end_to_end_id, message_id, sign_dict, sign_spi
from tests.bacen.dict_documents import parts, smallest
from tests.bacen.str.test_str_messages import DEPOSIT
from tests.bacen.wire_messages import pacs004, pacs008, payment_return, transfer
from tests.fuzz.bending import bend, bend_document, bend_text
from tests.fuzz.corpus import OURS, Keys, examples, hostile, spi_messages, without_signature
from tests.fuzz.doors import JSON, OTHER, Ask, Door

Asks = Callable[[random.Random], Ask]
XML = ("Content-Type", "application/xml; charset=utf-8")
METHODS = ("GET", "POST", "DELETE", "PUT", "HEAD", "OPTIONS", "PATCH", "TRACE", "get", "G")
HEADERS = (
    *("Accept", "Accept-Encoding", "Content-Encoding", "Content-Type", "Cookie", "Via", "Range"),
    *("If-Modified-Since", "PI-PayerId", "PI-EndToEndId", "PI-RequestingParticipant", "X-Any"),
    *("Max-Forwards", "User-Agent", "Origin", "Expect", "If-None-Match", "If-Range"),
)
VALUES = ("*/*", "gzip", "gzip, gzip", "br", "application/xml", "multipart/mixed", "bytes=0-", "x")


def doors(keys: Keys) -> dict[str, Door]:
    """Give the doors of a bank."""
    return {
        "icom": Door(400, lambda bank: bank.url, lambda bank: icom_asks(keys, bank)),
        "icom-secondary": Door(
            50, lambda bank: bank.secondary_url, lambda bank: icom_asks(keys, bank, packed=True)
        ),
        "dict-door": Door(250, lambda bank: bank.url, lambda _: dict_asks(keys)),
        "str-door": Door(100, lambda bank: bank.url, lambda bank: str_asks(keys, bank)),
        "admin": Door(200, lambda bank: bank.admin_url, lambda _: admin_asks()),
    }


def bent_ask(ask: Ask, rng: random.Random) -> Ask:
    """Change what is around the body: method, path, headers, or the bytes of the whole."""
    way = rng.random()
    if way < 0.5:
        return ask
    method, target, headers = ask.method, ask.target, list(ask.headers)
    if way < 0.65:
        target = bend_text(target, rng)
    elif way < 0.75:
        method = rng.choice(METHODS)
    elif way < 0.85:
        headers.append((rng.choice(HEADERS), rng.choice((*VALUES, bend_text("gzip", rng)))))
    elif way < 0.995:
        headers = [
            (name, bend_text(value, rng) if rng.random() < 0.6 else value)
            for name, value in headers
        ]
    else:
        return Ask(raw=bend(ask.wire(), (), rng) or b"\r\n")
    return Ask(method, target, tuple(headers), ask.body)


def icom_asks(keys: Keys, bank: RunningBank, *, packed: bool = False) -> Asks:
    """Messages of the SPI, streams, files and catalogues."""
    body_of, others = icom_bodies(keys, bank), spi_messages(keys)

    def posted(rng: random.Random) -> Ask:
        headers, body = [XML], body_of(rng)
        if rng.random() < 0.2:
            kind, body = build_multipart([Part(body), Part(body_of(rng))])
            headers = [("Content-Type", kind)]
            body = body if rng.random() < 0.5 else bend(body, others, rng)
        if packed or rng.random() < 0.1:
            headers.append(("Content-Encoding", "gzip"))
            body = gzip.compress(body, 1, mtime=0)
            body = body if rng.random() < 0.8 else bend(body, (), rng)
        return Ask("POST", f"/api/v1/in/{OURS}/msgs", tuple(headers), body)

    def make(rng: random.Random) -> Ask:
        return bent_ask(posted(rng) if rng.random() < 0.8 else icom_look(rng, packed=packed), rng)

    return make


def icom_bodies(keys: Keys, bank: RunningBank) -> Callable[[random.Random], bytes]:
    """Messages: right, bent before they are signed, bent afterwards, old, and hostile ones."""
    others, strange = spi_messages(keys), hostile(keys.bait)

    def body_of(rng: random.Random) -> bytes:
        way = rng.random()
        if way < 0.1:
            return rng.choice(strange)
        if way < 0.2:
            return bend_document(rng.choice(others), others, rng)
        message = encode(fresh_message(rng, bank.node.clock.now()), keys.ours)
        if way < 0.35:
            return message
        if way < 0.6:
            return bend_document(message, others, rng)
        bent = bend_document(without_signature(message), others, rng)
        with contextlib.suppress(WireError):
            return sign_spi(bent, keys.ours)
        return bent

    return body_of


def icom_look(rng: random.Random, *, packed: bool) -> Ask:
    """Read from ICOM, or close a stream."""
    headers = [("Accept", rng.choice(("application/xml", "multipart/mixed", "*/*")))]
    if packed:
        headers.append(("Accept-Encoding", "gzip"))
    out = f"/api/v1/out/{OURS}"
    streams = (f"{out}/stream/start", f"{out}/stream/{rng.random()}")
    others = (f"{out}/files/{rng.randbytes(32).hex()}", "/api/v1/in/catalog", "/api/v1/out/catalog")
    target = rng.choice((*streams, streams[0], *others))
    method = "DELETE" if target == streams[1] and rng.random() < 0.5 else "GET"
    return Ask(method, target, tuple(headers))


def fresh_message(rng: random.Random, now: datetime) -> Message:
    """A message that the bank has not seen, for which it moves money or looks something up."""
    number = f"{rng.randrange(10**11):011d}"
    head: dict[str, Any] = {
        "message_id": message_id(OURS, f"{rng.randrange(10**23):023d}"),
        "created_at": now,
    }
    end_to_end_id = make_end_to_end_id(OURS, now, number)
    way = rng.random()
    if way < 0.7:
        to = rng.choice(("60701190", "99999A04", OTHER, "00000000"))
        payment = transfer(
            end_to_end_id=end_to_end_id,
            accepted_at=now - timedelta(milliseconds=10),
            creditor_ispb=to,
            local_instrument="MANU",
            creditor_key=None,
        )
        return pacs008(transfers=(payment,), **head)
    if way < 0.85:
        one = payment_return(return_id=f"D{end_to_end_id[1:]}")
        return pacs004(returns=(one,), **head)
    return Pibr001(sender=OURS, receiver="00038166", data="anybody there?", **head)


def dict_asks(keys: Keys) -> Asks:
    """All operations, as they are drawn, and about the keys that there are."""
    drawn = [
        (operation, encode_request(operation, each))
        for operation in OPERATIONS.values()
        for each in (smallest(operation.request), *examples(parts(operation.request), 3))
    ]
    bodies = [wire.body for _, wire in drawn if wire.body]

    def make(rng: random.Random) -> Ask:
        operation, wire = rng.choice(drawn)
        body = wire.body or b""
        if body and rng.random() < 0.6:
            body = bend_document(body, bodies, rng)
        if body and operation.is_signed and rng.random() < 0.9:
            with contextlib.suppress(WireError):
                body = sign_dict(body, keys.ours)
        if body and rng.random() < 0.1:
            body = bend(body, bodies, rng)
        ask = Ask(wire.method, wire.target, tuple(wire.headers.items()), body)
        return bent_ask(ask, rng)

    return make


def str_asks(keys: Keys, bank: RunningBank) -> Asks:
    """Deposits of today, and their answers."""
    strange = hostile(keys.bait)

    def deposit(rng: random.Random) -> bytes:
        day = bank.node.clock.now().date()
        message = StrMessage(
            code="LPI0001",
            sender=OURS,
            receiver=DEPOSIT.receiver,
            operation=operation_number(OURS, day, rng.randrange(10**7)),
            fields={**DEPOSIT.fields, "DtMovto": day.isoformat(), "VlrLanc": "0.01"},
        )
        return write_message(message)

    def body_of(rng: random.Random) -> bytes:
        data = deposit(rng)
        way = rng.random()
        if way < 0.2:
            return data
        if way < 0.4:
            return bend(data, (), rng)
        text = rng.choice(strange) if way < 0.45 else data.decode("utf-16-be").encode()
        changed = bend(text, (), rng) if way < 0.45 else bend_document(text, (), rng)
        return changed.decode(errors="replace").encode("utf-16-be", errors="replace")

    def make(rng: random.Random) -> Ask:
        path, way = f"/str/{OURS}/msgs", rng.random()
        if way < 0.7:
            return bent_ask(Ask("POST", path, body=body_of(rng)), rng)
        if way < 0.85:
            return bent_ask(Ask("GET", path), rng)
        return bent_ask(Ask("DELETE", f"{path}/{rng.randint(0, 60)}"), rng)

    return make


def admin_asks() -> Asks:
    """What an operator orders. No counterparty that pays: it would, for as long as it is asked."""
    bodies = {
        "/admin/payments": b'{"receiver_ispb": "12345678", "account_number": "1000001", '
        b'"tax_id": "13579246828", "amount_cents": 1050, "key": "maria.silva@example.com"}',
        "/admin/returns": b'{"end_to_end_id": "E99999A03202609281435abcdefghijk", '
        b'"amount_cents": 1, "reason": "MD06", "additional": "a"}',
        "/admin/liquidity": b'{"ispb": "12345678", "amount_cents": 100, '
        b'"control_number": "STR20260928000000001"}',
        "/admin/announcements": b'{"text": "maintenance"}',
        "/admin/faults": b'{"fault": "late", "by": "5s", "ispb": "12345678", "message": '
        b'"pacs.002", "probability": "0.3", "next": 3, "from": "1h", "for": "PT5S"}',
        "/admin/clock": b'{"advance": "PT5S"}',
        "/admin/counterparties": b'{"ispb": "60746948", "answers": {"type": "uniform", "low": '
        b'"1s", "high": "2s"}, "silent": "0.1", "reject": {"AC03": "0.5"}}',
        "/admin/dict/listClaims?as=60701190": b'{"participant": "60701190"}',
        "/admin/dict/getEntry?as=60701190": b'{"key": "+5511999887766", "payer_id": "1"}',
        "/admin/dict/createClaim?as=60701190": b'{"claim": {"type": "PORTABILITY", "key": '
        b'"rejeita@example.com", "key_type": "EMAIL", "claimer_account": {"participant": '
        b'"60701190", "account_number": "1", "account_type": "CACC", "opening_date": '
        b'"2020-01-01T00:00:00Z"}, "claimer": {"type": "NATURAL_PERSON", "tax_id_number": '
        b'"52998224725", "name": "Ana"}}}',
    }
    looks = (
        *("/health", "/metrics", "/admin", "/admin/accounts/12345678", "/admin/faults"),
        *(
            "/admin/payments/E99999A03202609281435abcdefghijk",
            "/admin/clock",
            "/admin/str/12345678",
        ),
        *("/admin/counterparties", "/admin/faults/f1"),
    )
    seeds = list(bodies.values())

    def make(rng: random.Random) -> Ask:
        if rng.random() < 0.2:
            return bent_ask(Ask(rng.choice(("GET", "GET", "DELETE")), rng.choice(looks)), rng)
        path, body = rng.choice(list(bodies.items()))
        if rng.random() < 0.85:
            body = bend(body, seeds, rng)
        return bent_ask(Ask("POST", path, JSON, body), rng)

    return make
