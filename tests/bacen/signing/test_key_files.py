"""Keys in files: PEM and PKCS#12, and what is no pair."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs12

from bacen import CertificateRefused, SigningUnavailable
from bacen.signing import KeyFiles
from tests.bacen.signing.certified import DAY, NOON, Certified, certify

PASSWORD = b"sesame"


@pytest.fixture
def old(old_key: rsa.RSAPrivateKey) -> Certified:
    return certify(old_key, serial=1)


@pytest.fixture
def new(new_key: rsa.RSAPrivateKey) -> Certified:
    return certify(new_key, serial=2, begins=NOON + DAY)


def written(folder: Path, **contents: bytes) -> tuple[Path, ...]:
    paths = []
    for name, content in contents.items():
        paths.append(folder / name)
        paths[-1].write_bytes(content)
    return tuple(paths)


def serials(files: KeyFiles) -> list[int]:
    return [one.serial_number for one in files.load().signers]


def test_pair_of_files_is_found_in_any_order(tmp_path: Path, old: Certified) -> None:
    certificate, key = written(tmp_path, certificate=old.pem, key=old.key_pem)

    assert serials(KeyFiles((certificate, key))) == serials(KeyFiles((key, certificate))) == [1]


def test_one_file_may_hold_all_keys_of_a_rotation(
    tmp_path: Path, old: Certified, new: Certified
) -> None:
    everything = old.key_pem + old.pem + new.pem + new.key_pem

    assert serials(KeyFiles(written(tmp_path, all=everything))) == [2, 1]


def test_key_with_a_renewed_certificate_signs_with_either(
    tmp_path: Path, old: Certified, old_key: rsa.RSAPrivateKey
) -> None:
    renewed = certify(old_key, serial=9, begins=NOON)

    assert serials(KeyFiles(written(tmp_path, all=old.key_pem + old.pem + renewed.pem))) == [9, 1]


def test_pkcs12_holds_key_certificate_and_chain(
    tmp_path: Path, old: Certified, new: Certified
) -> None:
    how = serialization.BestAvailableEncryption(PASSWORD)
    packed = pkcs12.serialize_key_and_certificates(
        b"x", old.key, old.certificate, [new.certificate], how
    )
    files = written(tmp_path, keys=packed)

    assert serials(KeyFiles(files, PASSWORD)) == [1]
    with pytest.raises(CertificateRefused, match="PKCS#12"):
        KeyFiles(files, b"wrong").load()


def test_encrypted_key_needs_its_password(tmp_path: Path, old: Certified) -> None:
    files = written(tmp_path, key=old.encrypted(PASSWORD), certificate=old.pem)

    assert serials(KeyFiles(files, PASSWORD)) == [1]
    for password in (None, b"wrong"):
        with pytest.raises(CertificateRefused, match="password"):
            KeyFiles(files, password).load()


def test_key_or_certificate_alone_counts_for_nothing(
    tmp_path: Path, old: Certified, new: Certified
) -> None:
    files = written(tmp_path, key=old.key_pem + new.key_pem, certificate=old.pem)

    assert serials(KeyFiles(files)) == [1]
    files[0].write_bytes(new.key_pem)
    with pytest.raises(CertificateRefused, match="no private key with its certificate"):
        KeyFiles(files).load()


def test_key_that_is_not_rsa_is_refused(tmp_path: Path, old: Certified) -> None:
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )

    with pytest.raises(CertificateRefused, match="key: the private key is not RSA"):
        KeyFiles(written(tmp_path, key=other, certificate=old.pem)).load()


def test_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SigningUnavailable, match="nowhere"):
        KeyFiles((tmp_path / "nowhere",)).load()


def test_files_are_read_again_only_when_one_has_changed(
    tmp_path: Path, old: Certified, new: Certified
) -> None:
    files = written(tmp_path, key=old.key_pem, certificate=old.pem)
    keys = KeyFiles(files)
    first = keys.load()

    assert keys.load() is first
    fresh = tmp_path / "fresh"
    fresh.write_bytes(old.pem + new.pem)
    files[0].write_bytes(old.key_pem + new.key_pem)
    fresh.replace(files[1])
    assert serials(keys) == [2, 1]
