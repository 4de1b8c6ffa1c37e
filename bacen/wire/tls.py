"""TLS as ICOM and DICT ask for it: both sides show a certificate (Manual das Interfaces 1.12)."""

import ssl
from pathlib import Path

from cryptography import x509

from bacen import CertificateRefused
from bacen.wire.certificates import KeyPair
from bacen.wire.keys import certificate_ispb

CIPHER = "ECDHE-RSA-AES128-GCM-SHA256"  # the one that BCB names for TLS 1.2


def server_context(authority: Path, pair: KeyPair) -> ssl.SSLContext:
    """TLS context of a server that asks every client for a certificate.

    Args:
        authority: PEM file of the authorities whose client certificates are taken.
        pair: The server's own certificate.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.verify_mode = ssl.CERT_REQUIRED
    return _restricted(context, authority, pair)


def client_context(authority: Path, pair: KeyPair) -> ssl.SSLContext:
    """TLS context of a participant: shows its certificate, checks the server's name.

    Args:
        authority: PEM file of the authorities that a server's certificate must come from.
        pair: The participant's client certificate.
    """
    return _restricted(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), authority, pair)


def peer_ispb(connection: ssl.SSLObject | ssl.SSLSocket) -> str | None:
    """ISPB that the other side's verified certificate names in OU `ISPB-xxxxxxxx`.

    None without a certificate, without such a unit, or with two different ones. Parses the
    certificate (about 20 microseconds): ask once a connection. In aiohttp the connection is
    `request.transport.get_extra_info("ssl_object")`.
    """
    encoded = connection.getpeercert(binary_form=True)
    if encoded is None:
        return None
    try:
        return certificate_ispb(x509.load_der_x509_certificate(encoded))
    except (ValueError, CertificateRefused):
        return None


def _restricted(context: ssl.SSLContext, authority: Path, pair: KeyPair) -> ssl.SSLContext:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(CIPHER)
    context.load_verify_locations(authority)
    context.load_cert_chain(pair.certificate, pair.key)
    return context
