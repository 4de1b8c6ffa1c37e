"""Signing and verifying messages from the command line: what is read, done and printed."""

import sys
from collections.abc import Callable
from typing import Any, BinaryIO, Final

from cryptography.hazmat.primitives.serialization import Encoding

from bacen import BacenError, BrokenRule
from bacen.wire import (
    MESSAGE_BYTES_MAX,
    SignatureProfile,
    SignatureReport,
    Signer,
    Verifier,
    inspect_signature,
    sign_dict,
    sign_spi,
)
from corrente.json_lines import Answer, Unreadable, answer_lines, print_json

LINE_BYTES_MAX: Final = 8 * MESSAGE_BYTES_MAX  # JSON may write a byte as six

Inspect = Callable[[bytes], SignatureReport]


def sign_one(source: BinaryIO, signer: Signer, profile: SignatureProfile) -> int:
    """Sign all that the source holds and write the signed bytes; the answer is the exit code.

    A message in the name of another participant than the certificate's is not written.
    """
    xml = source.read(MESSAGE_BYTES_MAX + 1)
    try:
        signed = (
            sign_spi(xml, signer) if profile is SignatureProfile.SPI else sign_dict(xml, signer)
        )
    except BacenError as error:
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        return 1
    found = inspect_signature(signed, _trusting(signer), profile=profile)
    if not found.valid:
        sys.stderr.write("".join(f"{each.path}: {each.text}\n" for each in found.violations))
        return 1
    sys.stdout.buffer.write(signed)
    sys.stdout.buffer.flush()
    return 0


def verify_one(source: BinaryIO, inspect: Inspect, *, as_json: bool) -> int:
    """Inspect all that the source holds and print what was found; the answer is the exit code."""
    found = inspect(source.read(MESSAGE_BYTES_MAX + 1))
    if as_json:
        print_json(_shown(found))
    else:
        sys.stdout.write("".join(f"{line}\n" for line in _told(found)))
    return 0 if found.valid else 1


def verify_lines(source: BinaryIO, inspect: Inspect) -> int:
    """Inspect every line and print what was found; the answer is the exit code."""

    def answer(xml: Any) -> Answer:
        if not isinstance(xml, str):
            return _refused(Unreadable("xml", "missing", "must be text"))
        return _shown(inspect(xml.encode()))

    return answer_lines(source, "xml", answer, _refused, LINE_BYTES_MAX)


def _trusting(signer: Signer) -> Verifier:
    return Verifier([signer.certificate.public_bytes(Encoding.PEM)])


def _shown(found: SignatureReport) -> Answer:
    return {
        "message": found.message,
        "valid": found.valid,
        "profile": found.profile,
        "sender": found.sender,
        "references": found.references,
        "signature": found.signature,
        "certificate": found.certificate,
        "violations": found.violations,
    }


def _refused(found: Unreadable) -> Answer:
    violation = BrokenRule(found.path, found.rule, found.text)
    return {"message": None, "valid": False, "violations": (violation,)}


def _told(found: SignatureReport) -> list[str]:
    told = [f"{found.message or '?'} ({found.profile}): {'valid' if found.valid else 'INVALID'}"]
    for each in found.references:
        uri = "no URI" if each.uri is None else f'URI="{each.uri}"'
        told.append(f"  {'ok ' if each.ok else 'BAD'} reference {uri} to {each.element}")
    if found.signature is not None:
        told.append(f"  {'ok ' if found.signature else 'BAD'} signature value")
    held = found.certificate
    if held is not None:
        dates = "" if held.not_after is None else f", until {held.not_after:%Y-%m-%d}"
        is_good = not any(rule.rule.startswith("certificate") for rule in found.violations)
        told.append(f"  {'ok ' if is_good else 'BAD'} certificate {held.serial}{dates}")
    if found.sender is not None:
        is_good = all(rule.rule != "sender" for rule in found.violations)
        told.append(f"  {'ok ' if is_good else 'BAD'} sender {found.sender}")
    told += [f"  {each.path}: {each.rule}: {each.text}" for each in found.violations]
    return told
