"""Requests and answers of the DICT API as bytes: one codec for the client and for the bank.

What is in the path and in the body is in both; a request that says two things is refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from lxml import etree

from bacen import InvalidMessage
from bacen.dict.document import read_part, write_part
from bacen.dict.forms import Form
from bacen.dict.operation import Operation, Q, R
from bacen.dict.part import Header, Items, Part, Slot, require_rule, slots_of
from bacen.wire import Signer, Verifier, parse_xml, sign_dict, verify_dict

XML_TYPE = "application/xml; charset=utf-8"
ACCEPTED = "application/xml, application/problem+xml"


@dataclass(frozen=True, slots=True, kw_only=True)
class WireRequest:
    """A request to be sent.

    Attributes:
        target: Path and query, percent-encoded.
        headers: Besides those of the transport.
        body: Not signed yet; None for a reading.
    """

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A request that came.

    Attributes:
        path: Values of the names in the template, decoded.
        query: Decoded, in order; a list is a name that stands several times.
        headers: Names in any case.
    """

    path: Mapping[str, str]
    query: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str]
    body: bytes = b""


def encode_request(operation: Operation[Q, R], request: Q) -> WireRequest:
    """Write a request; the body is still to be signed where the operation wants it.

    Raises:
        InvalidMessage: A text holds a character that XML forbids.
    """
    target, in_path = _target(operation, request)
    headers = {"Accept": ACCEPTED}
    if operation.has_body:
        octets = etree.tostring(write_part(request, operation.request_tag), encoding="utf-8")
        headers["Content-Type"] = XML_TYPE
        return WireRequest(method=operation.method, target=target, headers=headers, body=octets)
    query: list[tuple[str, str]] = []
    for slot in slots_of(operation.request):
        value = getattr(request, slot.name)
        if slot in in_path or value is None or value == slot.default:
            continue
        if isinstance(slot.place, Header):
            headers[slot.tag] = _form(slot).write(value)
        else:
            values = value if isinstance(slot.place, Items) else (value,)
            query.extend((slot.tag, _form(slot).write(each)) for each in values)
    if query:
        target = f"{target}?{urlencode(query, quote_via=quote)}"
    return WireRequest(method=operation.method, target=target, headers=headers, body=None)


def decode_request(
    operation: Operation[Q, R], arrival: Arrival, verifier: Verifier, *, ispb: str | None = None
) -> Q:
    """Verify and read a request, strictly.

    Args:
        operation: Whose path matched.
        arrival: As it came.
        verifier: Whose signatures count.
        ispb: Whose certificate must have signed, where the certificate names an ISPB.

    Raises:
        MalformedXml: Not XML that we read.
        SignatureInvalid: Not signed by the participant, where it must be.
        InvalidMessage: It does not follow the API's schema; `path` names the field.
    """
    if not operation.has_body:
        return _read_parameters(operation, arrival)
    if operation.is_signed:
        root = verify_dict(arrival.body, verifier, ispb=ispb)
    else:
        root = parse_xml(arrival.body)
    require_rule(root.tag == operation.request_tag, operation.request_tag, "must be the root")
    request = read_part(operation.request, root, is_strict=True)
    for slot in slots_of(operation.request):
        if slot.tag in arrival.path:
            in_path = _form(slot).value_of(arrival.path[slot.tag], slot.tag)
            is_same = in_path == getattr(request, slot.name)
            require_rule(is_same, slot.tag, "is not the same in the path")
    return request


def encode_response(operation: Operation[Q, R], response: R, signer: Signer) -> bytes:
    """Write and sign an answer.

    Raises:
        InvalidMessage: A text holds a character that XML forbids.
    """
    root = write_part(response, operation.response_tag)
    return sign_dict(etree.tostring(root, encoding="utf-8"), signer)


def decode_response(
    operation: Operation[Q, R], data: bytes, verifier: Verifier, *, ispb: str | None = None
) -> R:
    """Verify and read an answer, tolerantly: elements that we do not know are left aside.

    Raises:
        MalformedXml: Not XML that we read.
        SignatureInvalid: Not signed by DICT.
        InvalidMessage: Signed, but not this operation's answer.
    """
    root = verify_dict(data, verifier, ispb=ispb)
    require_rule(root.tag == operation.response_tag, operation.response_tag, "must be the root")
    return read_part(operation.response, root, is_strict=False)


def _target(operation: Operation[Q, R], request: Part) -> tuple[str, list[Slot]]:
    target, in_path = operation.path, []
    for slot in slots_of(operation.request):
        place = f"{{{slot.tag}}}"
        if place in target:
            text = _form(slot).write(getattr(request, slot.name))
            target = target.replace(place, quote(text, safe=""))
            in_path.append(slot)
    return target, in_path


def _read_parameters(operation: Operation[Q, R], arrival: Arrival) -> Q:
    headers = {name.lower(): text for name, text in arrival.headers.items()}
    slots = slots_of(operation.request)
    in_query = {
        slot.tag
        for slot in slots
        if not isinstance(slot.place, Header) and slot.tag not in arrival.path
    }
    for name, _ in arrival.query:
        require_rule(name in in_query, name[:100], "is no parameter of this operation")
    values: dict[str, Any] = {}
    for slot in slots:
        if slot.tag in arrival.path:
            texts = [arrival.path[slot.tag]]
        elif isinstance(slot.place, Header):
            given = headers.get(slot.tag.lower())
            texts = [] if given is None else [given]
        else:
            texts = [text for name, text in arrival.query if name == slot.tag]
        if texts:
            values[slot.name] = _parameter(slot, texts)
        else:
            require_rule(not slot.is_compulsory, slot.tag, "must be there")
    return operation.request(**values)


def _parameter(slot: Slot, texts: Sequence[str]) -> Any:
    form = _form(slot)
    if isinstance(slot.place, Items):
        return tuple(form.value_of(text, slot.tag) for text in texts)
    require_rule(len(texts) == 1, slot.tag, "stands twice")
    return form.value_of(texts[0], slot.tag)


def _form(slot: Slot) -> Form:
    if slot.form is None:
        raise InvalidMessage(slot.tag, "is no parameter")
    return slot.form
