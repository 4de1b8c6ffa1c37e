"""What is attacked: each target makes an input from a generator, and reads it.

A reader may raise its declared errors and nothing else. An input is bytes, so that it can be kept
in a file and read again.
"""

import contextlib
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import parse_qsl, quote

import msgspec

from bacen import (
    CertificateRefused,
    InvalidBrCode,
    InvalidKey,
    MultipartInvalid,
    SignatureInvalid,
    StrRefused,
    WireError,
)
from bacen.brcode import BrCode, make, parse, read
from bacen.dict import (
    OPERATIONS,
    Arrival,
    decode_problem,
    decode_request,
    decode_response,
    encode_problem,
    encode_request,
    encode_response,
    parse_key,
)
from bacen.dict import Problem as DictProblem
from bacen.icom import Part, build_multipart, parse_multipart
from bacen.signing import JwsKeys, peek_jws, sign_jws, write_jwks
from bacen.simulator import InvalidControl
from bacen.simulator.counterparties import counterparty_of_json, read_counterparties
from bacen.simulator.faults import order_of_json, read_scenario
from bacen.str import read_message, write_message
from bacen.validation import validate
from bacen.wire import (
    decode,
    inspect_signature,
    peek_message_id,
    read_unsigned,
    sign_dict,
    sign_spi,
    verify_dict,
)
from bacen.wire.schema import judge
from tests.bacen.dict_documents import KEYS as PIX_KEYS
from tests.bacen.dict_documents import arrive, parts, smallest
from tests.bacen.str.test_str_messages import messages
from tests.fuzz.bending import bend, bend_document, bend_text
from tests.fuzz.corpus import (
    OURS,
    Keys,
    examples,
    hostile,
    spi_documents,
    spi_messages,
    without_dict_signature,
    without_signature,
)

Make = Callable[[random.Random], bytes]
Read = Callable[[bytes], None]


@dataclass(frozen=True)
class Target:
    """Something that reads bytes of strangers.

    Attributes:
        share: Of a thousand inputs, how many are for it.
        make: Makes an input.
        read: Reads it; what it raises is a finding.
    """

    share: int
    make: Make
    read: Read


def parsers(keys: Keys) -> dict[str, Target]:
    """Give the readers that need no running bank."""
    return {
        **spi_targets(keys),
        **str_targets(keys),
        **dict_targets(keys),
        **text_targets(keys),
        **control_targets(keys),
    }


class SpiSeeds:
    """Messages to begin with, made when they are needed: who reads a finding again needs none.

    Args:
        keys: That sign them.
    """

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._strange = hostile(keys.bait)

    @cached_property
    def signed(self) -> list[bytes]:
        return spi_messages(self._keys)

    @cached_property
    def bare(self) -> list[bytes]:
        return [without_signature(each) for each in self.signed]

    @cached_property
    def drawn(self) -> list[bytes]:
        return spi_documents() + self.signed

    def bend_signed(self, rng: random.Random) -> bytes:
        return self._bent(self.signed, rng)

    def bend_bare(self, rng: random.Random) -> bytes:
        return self._bent(self.bare, rng)

    def bend_drawn(self, rng: random.Random) -> bytes:
        return self._bent(self.drawn, rng)

    def sign_bent(self, rng: random.Random) -> bytes:
        """Sign what is wrong: so it gets past the signature."""
        body = self.bend_bare(rng)
        with contextlib.suppress(WireError):
            return sign_spi(body, self._keys.ours)
        return body

    def _bent(self, seeds: list[bytes], rng: random.Random) -> bytes:
        if rng.random() < 0.02:
            return bend(rng.choice(self._strange), self._strange, rng)
        return bend_document(rng.choice(seeds), seeds, rng)


def spi_targets(keys: Keys) -> dict[str, Target]:
    """Messages of the SPI, their schemas and signatures."""
    seeds = SpiSeeds(keys)

    def read_signed(data: bytes) -> None:
        with contextlib.suppress(WireError):
            decode(data, keys.verifier)
        peek_message_id(data)

    def read_bare(data: bytes) -> None:
        with contextlib.suppress(WireError):
            read_unsigned(data)

    def inspected(data: bytes) -> None:
        inspect_signature(data, keys.verifier)

    def validated(data: bytes) -> None:
        validate(data, keys.verifier)

    def judged(data: bytes) -> None:
        judge(data)

    return {
        "spi-decode": Target(100, seeds.bend_signed, read_signed),
        "spi-signed-again": Target(50, seeds.sign_bent, read_signed),
        "spi-unsigned": Target(90, seeds.bend_bare, read_bare),
        "spi-judge": Target(90, seeds.bend_drawn, judged),
        "spi-validate": Target(70, seeds.bend_drawn, validated),
        "spi-inspect": Target(40, seeds.bend_signed, inspected),
    }


def str_targets(keys: Keys) -> dict[str, Target]:
    """Messages of the STR: UTF-16BE."""
    deposits = [write_message(each) for each in examples(messages(), 60)]
    texts = [each.decode("utf-16-be").encode() for each in deposits]
    strange = hostile(keys.bait)

    def make_input(rng: random.Random) -> bytes:
        if rng.random() < 0.1:
            return bend(rng.choice(deposits), deposits, rng)
        text = rng.choice(texts if rng.random() < 0.98 else strange)
        changed = bend_document(text, texts, rng) if text in texts else bend(text, texts, rng)
        return changed.decode(errors="replace").encode("utf-16-be", errors="replace")

    def read_one(data: bytes) -> None:
        with contextlib.suppress(StrRefused):
            read_message(data)

    return {"str": Target(80, make_input, read_one)}


class ArrivedInput(msgspec.Struct, frozen=True):
    """A request to DICT as one input."""

    operation: str
    path: Mapping[str, str]
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes


def dict_targets(keys: Keys) -> dict[str, Target]:
    """Requests to DICT and its answers."""
    return {"dict-request": dict_requests(keys), "dict-answer": dict_answers(keys)}


def dict_requests(keys: Keys) -> Target:
    """Requests, bent in one place: the path, the query, a header, or the body."""
    arrivals: list[tuple[str, Arrival, bytes]] = []
    for name, operation in OPERATIONS.items():
        for each in [smallest(operation.request), *examples(parts(operation.request), 2)]:
            wire = encode_request(operation, each)
            arrivals.append((name, arrive(operation, wire, keys.ours), wire.body or b""))
    bodies = [body for _, _, body in arrivals if body]

    def make_input(rng: random.Random) -> bytes:
        name, arrival, body = rng.choice(arrivals)
        which = rng.choice(
            [*arrival.path, *arrival.headers, *(["body"] * 4 if body else ["query"])]
        )
        path = bent_at(which, arrival.path, rng)
        headers = bent_at(which, arrival.headers, rng)
        query, sent = tuple(arrival.query), arrival.body
        if which == "query":
            joined = "&".join(f"{quote(name)}={quote(text)}" for name, text in query)
            query = tuple(parse_qsl(bend_text(joined, rng), keep_blank_values=True))
        if which == "body":
            sent = bend_document(body, bodies, rng)
            with contextlib.suppress(WireError):
                sent = sign_dict(sent, keys.ours) if rng.random() < 0.6 else sent
        return msgspec.msgpack.encode(ArrivedInput(name, path, query, headers, sent))

    def read_request(data: bytes) -> None:
        given = msgspec.msgpack.decode(data, type=ArrivedInput)
        arrival = Arrival(
            path=given.path, query=given.query, headers=given.headers, body=given.body
        )
        with contextlib.suppress(WireError):
            decode_request(OPERATIONS[given.operation], arrival, keys.verifier, ispb=OURS)

    return Target(90, make_input, read_request)


def bent_at(which: str, texts: Mapping[str, str], rng: random.Random) -> dict[str, str]:
    return {name: bend_text(text, rng) if name == which else text for name, text in texts.items()}


def dict_answers(keys: Keys) -> Target:
    """Answers and problems, signed by the bank and bent afterwards."""
    answers = [
        (name, encode_response(operation, each, keys.spi))
        for name, operation in OPERATIONS.items()
        for each in (smallest(operation.response), *examples(parts(operation.response), 1))
    ]
    problem = DictProblem(type="NotFound", title="t", status=404, correlation_id="ab" * 16)
    answers.append(("problem", encode_problem(problem, keys.spi)))
    bodies = [body for _, body in answers]

    def make_input(rng: random.Random) -> bytes:
        name, body = rng.choice(answers)
        sent = bend_document(body, bodies, rng)
        if rng.random() < 0.3:  # as if the bank had written it
            with contextlib.suppress(WireError):
                sent = sign_dict(bend_document(without_dict_signature(body), bodies, rng), keys.spi)
        return msgspec.msgpack.encode(ArrivedInput(name, {}, (), {}, sent))

    def read_answer(data: bytes) -> None:
        given = msgspec.msgpack.decode(data, type=ArrivedInput)
        for read_it in (verify_dict, decode_problem):
            with contextlib.suppress(WireError):
                read_it(given.body, keys.verifier)
        if given.operation in OPERATIONS:
            with contextlib.suppress(WireError):
                decode_response(OPERATIONS[given.operation], given.body, keys.verifier)

    return Target(70, make_input, read_answer)


def text_targets(keys: Keys) -> dict[str, Target]:
    """BR Codes, keys, multipart bodies, and the signatures of payloads."""
    codes = [
        make(BrCode(merchant_name="Fulano de Tal", merchant_city="BRASILIA", key=key))
        for _, key in PIX_KEYS
    ]
    address = "pix.example.com/qr/v2/8b3da2f39a41"
    codes.append(make(BrCode(merchant_name="Fulano", merchant_city="BRASILIA", location=address)))
    payload = sign_jws(b'{"txid":"1"}', keys.ours, jku="https://pix.example.com/jwks").encode()
    known = write_jwks([keys.ours])
    trusted = JwsKeys.from_jwks(known)
    boundary, mixed = build_multipart([Part(b"<a/>"), Part(b"<b/>" * 30, {"PI-ResourceId": "x"})])

    def multipart_input(rng: random.Random) -> bytes:
        kind = bend_text(boundary, rng) if rng.random() < 0.3 else boundary
        return kind.encode() + b"\0" + bend(mixed, (), rng)

    def read_multipart(data: bytes) -> None:
        kind, _, body = data.partition(b"\0")
        with contextlib.suppress(MultipartInvalid):
            parse_multipart(kind.decode(errors="replace"), body)

    def read_code(data: bytes) -> None:
        text = data.decode(errors="replace")
        read(text)
        with contextlib.suppress(InvalidBrCode):
            parse(text)

    def read_key(data: bytes) -> None:
        with contextlib.suppress(InvalidKey):
            parse_key(data.decode(errors="replace"))

    def read_payload(data: bytes) -> None:
        text = data.decode(errors="replace")
        with contextlib.suppress(SignatureInvalid):
            peek_jws(text)
        with contextlib.suppress(SignatureInvalid):
            trusted.verify(text)
        with contextlib.suppress(CertificateRefused):
            JwsKeys.from_jwks(data)

    return {
        "brcode": Target(90, texts_of(codes), read_code),
        "key": Target(20, texts_of([key for _, key in PIX_KEYS]), read_key),
        "multipart": Target(50, multipart_input, read_multipart),
        "jws": Target(30, bytes_of([payload, payload, known]), read_payload),
    }


def control_targets(keys: Keys) -> dict[str, Target]:
    """Files and bodies with which a bank is controlled."""
    scenario = [
        b"# a bad day\nlate by=5s probability=0.3 for=1h\nlost ispb=12345678 next=3\n",
        b"maintenance service=icom from=2h for=10m\nclock_skew by=-90s\n",
        b"wrong_version message=pacs.002 for=P7D\n",
    ]
    orders = [
        b'{"fault": "late", "by": "5s", "probability": "0.3", "for": "10m", "next": 3}',
        b'{"fault": "maintenance", "service": "icom", "from": "1h", "for": "5m"}',
    ]
    bank = (
        b'[{"ispb": "60701190", "rate_per_second": "5", "payments_max": 1000, "amount_cents": '
        b'[100, 50000], "targets": [{"ispb": "12345678", "account_number": "1000001", "tax_id": '
        b'"13579246828"}, {"key": "+5511999887766"}], "answers": {"type": "lognormal", "p50": '
        b'"300ms", "p95": "2s"}, "reject": {"AC03": "0.02"}, "silent": "0.01", "late": "0.01"}]'
    )
    file = keys.home / "control.dat"

    def read_scenario_file(data: bytes) -> None:
        file.write_bytes(data)
        with contextlib.suppress(InvalidControl, UnicodeDecodeError):
            read_scenario(file)

    def read_order(data: bytes) -> None:
        with contextlib.suppress(InvalidControl):
            order_of_json(data)

    def read_banks(data: bytes) -> None:
        with contextlib.suppress(InvalidControl):
            counterparty_of_json(data[1:-1])
        file.write_bytes(data)
        with contextlib.suppress(InvalidControl):
            read_counterparties(file)

    return {
        "scenario": Target(40, bytes_of(scenario), read_scenario_file),
        "fault": Target(20, bytes_of(orders), read_order),
        "counterparties": Target(20, bytes_of([bank]), read_banks),
    }


def bytes_of(seeds: list[bytes]) -> Make:
    return lambda rng: bend(rng.choice(seeds), seeds, rng)


def texts_of(seeds: list[str]) -> Make:
    return lambda rng: bend_text(rng.choice(seeds), rng).encode(errors="replace")
