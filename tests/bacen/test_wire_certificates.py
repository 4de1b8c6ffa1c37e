"""The local authority issues once, keeps, renews, and TLS asks both sides for a certificate."""

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import ClientConnectorError, ClientError, ClientSession, TCPConnector, web
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from bacen.wire import (
    CertificateRefused,
    LocalAuthority,
    Signer,
    Usage,
    Verifier,
    client_context,
    decode,
    encode,
    peer_ispb,
)
from tests.bacen.conftest import OUR_ISPB, Serve
from tests.bacen.wire_messages import pacs008

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def test_files_lie_where_they_are_promised_and_keys_are_private(tmp_path: Path) -> None:
    authority = LocalAuthority.create(tmp_path, now=NOW)
    authority.server()
    authority.spi_signing()
    authority.participant(OUR_ISPB)

    files = {str(f.relative_to(tmp_path / "pki")): f for f in (tmp_path / "pki").rglob("*.*")}
    own = f"participants/{OUR_ISPB}"
    assert {name for name in files if not name.startswith(".")} == {
        *("ca.pem", "ca.key", "server.pem", "server.key", "spi-signing.pem", "spi-signing.key"),
        *(f"{own}/client.pem", f"{own}/client.key", f"{own}/signing.pem", f"{own}/signing.key"),
    }
    modes = {name: f.stat().st_mode & 0o777 for name, f in files.items() if name.endswith("key")}
    assert set(modes.values()) == {0o600}


def test_what_exists_is_kept_and_what_expires_is_renewed(tmp_path: Path) -> None:
    authority = LocalAuthority.create(tmp_path, now=NOW)
    pair = authority.spi_signing()
    first, root = pair.certificate.read_bytes(), authority.certificate.read_bytes()

    LocalAuthority.create(tmp_path, now=NOW + timedelta(days=300)).spi_signing()
    kept = pair.certificate.read_bytes()
    LocalAuthority.create(tmp_path, now=NOW + timedelta(days=380)).spi_signing()
    renewed = pair.certificate.read_bytes()

    assert kept == first
    assert renewed != first
    assert authority.certificate.read_bytes() == root


def test_renewed_authority_issues_everything_anew(tmp_path: Path) -> None:
    pair = LocalAuthority.create(tmp_path, now=NOW).spi_signing()
    before = x509.load_pem_x509_certificate(pair.certificate.read_bytes())

    LocalAuthority.create(tmp_path, now=NOW + timedelta(days=3640)).spi_signing()

    after = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    assert after.issuer != before.issuer


@pytest.mark.parametrize("damage", [b"", b"-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_damaged_file_is_made_again(tmp_path: Path, damage: bytes) -> None:
    authority = LocalAuthority.create(tmp_path, now=NOW)
    pair = authority.participant(OUR_ISPB).signing
    pair.certificate.write_bytes(damage)

    again = authority.participant(OUR_ISPB).signing

    assert again.signer().ispb == OUR_ISPB


@pytest.mark.parametrize("ispb", ["../x", "1234567", "1234567a", ""])
def test_text_that_is_no_ispb_gets_no_certificate(tmp_path: Path, ispb: str) -> None:
    authority = LocalAuthority.create(tmp_path, now=NOW)

    with pytest.raises(CertificateRefused):
        authority.participant(ispb)


def test_key_of_another_certificate_is_refused(authority: LocalAuthority) -> None:
    ours, theirs = authority.participant(OUR_ISPB).signing, authority.spi_signing()

    with pytest.raises(CertificateRefused, match="not the certificate's"):
        Signer.from_pem(ours.key.read_bytes(), theirs.certificate.read_bytes())


def test_weak_key_is_never_trusted(authority: LocalAuthority, tmp_path: Path) -> None:
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)  # noqa: S505 - the point
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "weak")])
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import Encoding

    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(weak.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(days=1))
        .sign(weak, SHA256())
    )

    with pytest.raises(CertificateRefused, match="2048"):
        Verifier([certificate.public_bytes(Encoding.PEM)])


@pytest.mark.parametrize("pem", [b"", b"not a certificate"])
def test_unreadable_certificate_is_refused(pem: bytes) -> None:
    with pytest.raises(CertificateRefused):
        Verifier([pem])


def test_authority_has_one_certificate_for_any_number_of_openings(tmp_path: Path) -> None:
    first = LocalAuthority.create(tmp_path, now=NOW)
    second = LocalAuthority.create(tmp_path, now=NOW)
    data = encode(pacs008(), first.participant(OUR_ISPB).signing.signer())
    trusted = second.participant(OUR_ISPB).signing.certificate.read_bytes()

    assert decode(data, Verifier([trusted])) == pacs008()


async def test_server_learns_the_ispb_of_its_client(
    serve: Serve, our_context: ssl.SSLContext
) -> None:
    async def answer(request: web.Request) -> web.Response:
        assert request.transport is not None
        connection = request.transport.get_extra_info("ssl_object")
        return web.Response(text=f"{peer_ispb(connection)} {connection.version()}")

    url = await serve(answer)
    async with (
        ClientSession(connector=TCPConnector(ssl=our_context)) as session,
        session.get(url) as response,
    ):
        text = await response.text()

    assert text.startswith(f"{OUR_ISPB} TLSv1.")


async def test_client_without_certificate_is_refused(
    serve: Serve, authority: LocalAuthority
) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response()

    url = await serve(answer)
    context = ssl.create_default_context(cafile=str(authority.certificate))
    async with ClientSession(connector=TCPConnector(ssl=context)) as session:
        with pytest.raises(ClientError):
            await session.get(url)


async def test_server_of_another_authority_is_refused(serve: Serve, tmp_path: Path) -> None:
    async def answer(_request: web.Request) -> web.Response:
        return web.Response()

    other = LocalAuthority.create(tmp_path, now=datetime.now(UTC))
    context = client_context(other.certificate, other.participant(OUR_ISPB).client)
    url = await serve(answer)
    async with ClientSession(connector=TCPConnector(ssl=context)) as session:
        with pytest.raises(ClientConnectorError):
            await session.get(url)


def test_certificate_is_issued_for_its_hosts(tmp_path: Path) -> None:
    authority = LocalAuthority.create(tmp_path, now=NOW)
    first = authority.server().certificate.read_bytes()
    again = authority.server(["bank.test", "127.0.0.1"]).certificate.read_bytes()

    names = x509.load_pem_x509_certificate(again).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert first != again
    assert [str(name.value) for name in names.value] == ["bank.test", "127.0.0.1"]
    assert authority.issue("x", OUR_ISPB, "X", usage=Usage.CLIENT).certificate.name == "x.pem"
