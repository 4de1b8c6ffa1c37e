"""The fault of an expired server certificate, which strikes in the TLS handshake."""

import ssl
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from bacen.simulator.faults.kinds import EXPIRED_CERTIFICATE
from bacen.simulator.faults.plan import EVERYBODY, FaultPlan
from bacen.wire import KeyPair, LocalAuthority, server_context


def watch_handshakes(
    context: ssl.SSLContext, plan: FaultPlan, authority: LocalAuthority, pair: KeyPair
) -> None:
    """Show new connections of `context` the expired certificate while the fault is in force.

    Args:
        context: Of the participants' listener.
        plan: The faults in force.
        authority: Issues the certificate.
        pair: The server's own, which the expired one is a copy of.
    """
    made: list[ssl.SSLContext] = []

    def greet(connection: ssl.SSLObject, _: str | None, __: ssl.SSLContext) -> None:
        if plan.strike(EXPIRED_CERTIFICATE, EVERYBODY) is None:
            return
        if not made:
            made.append(server_context(authority.certificate, expired(authority, pair)))
        connection.context = made[0]

    context.sni_callback = greet


def expired(authority: LocalAuthority, pair: KeyPair) -> KeyPair:
    """Issue a copy of a certificate that ended before the original began."""
    own = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    key = load_pem_private_key((authority.directory / "ca.key").read_bytes(), password=None)
    assert isinstance(key, RSAPrivateKey)  # the authority makes no others
    ended = own.not_valid_before_utc - timedelta(days=1)
    builder = (
        x509.CertificateBuilder()
        .serial_number(x509.random_serial_number())
        .subject_name(own.subject)
        .issuer_name(own.issuer)
        .public_key(own.public_key())
        .not_valid_before(ended - timedelta(days=1))
        .not_valid_after(ended)
    )
    for extension in own.extensions:
        builder = builder.add_extension(extension.value, critical=extension.critical)
    copy = KeyPair(pair.certificate.with_name("server-expired.pem"), pair.key)
    copy.certificate.write_bytes(builder.sign(key, SHA256()).public_bytes(Encoding.PEM))
    return copy
