"""Problem documents of DICT: RFC 7807 as XML, signed like every answer (DICT API 2.12.1)."""

import re
from collections.abc import Sequence

import msgspec
from lxml import etree

from bacen import InvalidMessage
from bacen.wire import Signer, Verifier, sign_dict, verify_dict

NAMESPACE = "urn:ietf:rfc:7807"
TYPE_PREFIX = "https://dict.pi.rsfn.net.br/api/v2/error/"

_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9]{0,99}")
_CORRELATION_ID = re.compile(r"[0-9a-fA-F]{32}")


class Violation(msgspec.Struct, frozen=True):
    """One broken rule: why, and which property; its value is not repeated by us."""

    reason: str
    property: str | None = None


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What DICT says when it does not do what was asked.

    Attributes:
        type: Last segment of the problem's URI, such as `NotFound`.
        title: Short text for people.
        status: HTTP status, 400 to 599.
        detail: Longer text.
        correlation_id: Id that DICT gave the exchange, 32 hexadecimal digits.
        violations: Which properties of the request are wrong.

    Raises:
        InvalidMessage: A field has the wrong form.
    """

    type: str
    title: str
    status: int
    detail: str | None = None
    correlation_id: str | None = None
    violations: tuple[Violation, ...] = ()

    def __post_init__(self) -> None:
        """Check the fields against the API's schema."""
        if _TYPE.fullmatch(self.type) is None:
            raise InvalidMessage("type", "must be one word")
        if not 400 <= self.status <= 599:
            raise InvalidMessage("status", "must be an HTTP status of an error")
        given = self.correlation_id
        if given is not None and _CORRELATION_ID.fullmatch(given) is None:
            raise InvalidMessage("correlation_id", "must be 32 hexadecimal digits")


def encode_problem(problem: Problem, signer: Signer) -> bytes:
    """Write and sign a problem document.

    Raises:
        InvalidMessage: A text holds a character that XML forbids.
    """
    nsmap = {None: NAMESPACE}
    root = etree.Element(
        f"{{{NAMESPACE}}}problem",
        nsmap=nsmap,  # type: ignore[arg-type] # the stubs forget the default namespace
    )
    try:
        _add(root, "type", TYPE_PREFIX + problem.type)
        _add(root, "title", problem.title)
        _add(root, "status", str(problem.status))
        _add(root, "detail", problem.detail)
        _add(root, "correlationId", problem.correlation_id)
        _add_violations(root, problem.violations)
    except ValueError:
        raise InvalidMessage("problem", "holds a character that XML forbids") from None
    return sign_dict(etree.tostring(root), signer)


def decode_problem(data: bytes, verifier: Verifier, *, ispb: str | None = None) -> Problem:
    """Verify and read a problem document.

    Args:
        data: The bytes as they came.
        verifier: Whose signatures count.
        ispb: Whose certificate must have signed, where the certificate names an ISPB.

    Raises:
        MalformedXml: Not XML that we read.
        SignatureInvalid: Not signed by DICT.
        InvalidMessage: Signed, but no problem document.
    """
    root = verify_dict(data, verifier, ispb=ispb)
    if root.tag != f"{{{NAMESPACE}}}problem":
        raise InvalidMessage("problem", "is not the root")
    status = _text(root, "status") or ""
    if re.fullmatch(r"[0-9]{3}", status) is None:
        raise InvalidMessage("status", "must be a number of three digits")
    return Problem(
        type=(_text(root, "type") or "").rpartition("/")[2],
        title=_text(root, "title") or "",
        status=int(status),
        detail=_text(root, "detail"),
        correlation_id=_text(root, "correlationId") or None,
        violations=tuple(
            Violation(_text(each, "reason") or "", _text(each, "property"))
            for each in root.iterfind(f"{{{NAMESPACE}}}violations/{{{NAMESPACE}}}violation")
        ),
    )


def _add_violations(root: etree._Element, violations: Sequence[Violation]) -> None:
    if not violations:
        return
    parent = etree.SubElement(root, f"{{{NAMESPACE}}}violations")
    for violation in violations:
        item = etree.SubElement(parent, f"{{{NAMESPACE}}}violation")
        _add(item, "reason", violation.reason)
        _add(item, "property", violation.property)


def _add(parent: etree._Element, name: str, text: str | None) -> None:
    if text is not None:
        etree.SubElement(parent, f"{{{NAMESPACE}}}{name}").text = text


def _text(parent: etree._Element, name: str) -> str | None:
    return parent.findtext(f"{{{NAMESPACE}}}{name}")
