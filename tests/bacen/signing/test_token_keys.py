"""Keys in a PKCS#11 token, played by SoftHSM (Debian package `softhsm2`), where it is installed."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding

from actors import Node
from bacen import CertificateRefused, SigningUnavailable
from bacen.signing import TokenKeys, sign, signer_pool
from bacen.wire import SoftwareKey, Verifier, decode, encode
from tests.bacen.signing.certified import DAY, NOON, Certified, certify
from tests.bacen.wire_messages import pacs008

PIN = "1234"
LIBRARIES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/lib64/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
)


@pytest.fixture(scope="session")
def module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The library of SoftHSM, with its tokens in a folder of this test run."""
    found = [Path(each) for each in LIBRARIES if Path(each).exists()]
    if not found or shutil.which("softhsm2-util") is None:
        pytest.skip("SoftHSM (package softhsm2) is not installed: no token to test with")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    settings = folder / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(settings))
        utility("--init-token", "--free", "--label", "first", "--so-pin", "5678")
        import pkcs11

        library = pkcs11.lib(str(found[0]))  # opened here: what it keeps open is nobody's leak
        yield found[0]
        library.finalize()


def utility(*arguments: str) -> None:
    command = ["softhsm2-util", *arguments, "--pin", PIN]
    subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def label(module: Path, request: pytest.FixtureRequest) -> str:
    """An empty token of this test."""
    import pkcs11

    name = f"t{abs(hash(request.node.name)) % 10**9}"
    utility("--init-token", "--free", "--label", name, "--so-pin", "5678")
    pkcs11.lib(str(module)).reinitialize()  # a module lists its tokens when it starts
    return name


@pytest.fixture
def old(old_key: rsa.RSAPrivateKey) -> Certified:
    return certify(old_key, serial=1)


@pytest.fixture
def new(new_key: rsa.RSAPrivateKey) -> Certified:
    return certify(new_key, serial=2, begins=NOON + DAY)


def store(module: Path, label: str, folder: Path, *held: Certified, with_certificate: bool) -> None:
    """Put keys into the token, and their certificates where the token is to have them."""
    import pkcs11

    for number, one in enumerate(held, start=1):
        path = folder / "key.pem"
        path.write_bytes(one.key_pem)
        utility(
            *("--import", str(path), "--token", label),
            *("--label", f"key {number}", "--id", f"{number:02x}"),
        )
    token = pkcs11.lib(str(module)).get_token(token_label=label)
    with token.open(rw=True, user_pin=PIN) as session:
        for number, one in enumerate(held if with_certificate else (), start=1):
            session.create_object(
                {
                    pkcs11.Attribute.CLASS: pkcs11.ObjectClass.CERTIFICATE,
                    pkcs11.Attribute.CERTIFICATE_TYPE: pkcs11.CertificateType.X_509,
                    pkcs11.Attribute.TOKEN: True,
                    pkcs11.Attribute.ID: bytes([number]),
                    pkcs11.Attribute.SUBJECT: one.certificate.subject.public_bytes(),
                    pkcs11.Attribute.VALUE: one.certificate.public_bytes(Encoding.DER),
                }
            )


@pytest.fixture
def keys(module: Path, label: str, tmp_path: Path, old: Certified) -> Iterator[TokenKeys]:
    """A token that holds a key and its certificate."""
    store(module, label, tmp_path, old, with_certificate=True)
    keys = TokenKeys(module, label, PIN)
    yield keys
    keys.close()


def test_token_signs_what_the_file_signs(keys: TokenKeys, old: Certified) -> None:
    signer = keys.load().active(NOON)

    assert encode(pacs008(1), signer) == encode(pacs008(1), old.signer())
    assert signer.sign_bytes(b"\0" * 1000) == SoftwareKey(old.key).sign(b"\0" * 1000)


def test_certificate_may_lie_in_a_file(
    module: Path, label: str, tmp_path: Path, old: Certified
) -> None:
    store(module, label, tmp_path, old, with_certificate=False)
    certificate = tmp_path / "certificate.pem"
    certificate.write_bytes(old.pem)
    keys = TokenKeys(module, label, PIN, [certificate])

    assert encode(pacs008(1), keys.load().active(NOON)) == encode(pacs008(1), old.signer())
    keys.close()
    with pytest.raises(CertificateRefused, match="no private key with its certificate"):
        TokenKeys(module, label, PIN).load()


def test_token_with_two_keys_rotates_by_the_clock(
    module: Path, label: str, tmp_path: Path, old: Certified, new: Certified
) -> None:
    store(module, label, tmp_path, old, new, with_certificate=True)
    keys = TokenKeys(module, label, PIN)
    ring = keys.load()

    assert [ring.active(NOON + after).serial_number for after in (0 * DAY, DAY)] == [1, 2]
    verifier = Verifier([old.pem, new.pem])
    for signer in ring.signers:
        assert decode(encode(pacs008(1), signer), verifier) == pacs008(1)
    keys.close()


async def test_pool_signs_with_a_token_one_thread_at_a_time(
    timed: Node, keys: TokenKeys, old: Certified
) -> None:
    await timed.start(signer_pool(keys, size=4), name="signers", link=False)

    signed = await sign(timed, "signers", [pacs008(1)] * 20)

    assert signed == (encode(pacs008(1), old.signer()),) * 20


def test_session_that_broke_is_opened_again(keys: TokenKeys, old: Certified) -> None:
    signer = keys.load().active(NOON)
    assert keys._session is not None
    keys._session.close()  # as when the token was pulled out and put back

    with pytest.raises(SigningUnavailable):
        encode(pacs008(1), signer)
    assert encode(pacs008(1), keys.load().active(NOON)) == encode(pacs008(1), old.signer())


def test_wrong_pin_is_one_line_and_is_never_tried_again(keys: TokenKeys) -> None:
    wrong = TokenKeys(keys._module, keys._label, "4321")

    with pytest.raises(SigningUnavailable, match="PinIncorrect") as first:
        wrong.load()
    with pytest.raises(SigningUnavailable, match="the PIN is not tried again"):
        wrong.load()
    assert "\n" not in str(first.value)
    assert "4321" not in str(first.value)


def test_missing_token_is_one_line(module: Path) -> None:
    with pytest.raises(SigningUnavailable, match="nobody: NoSuchToken") as caught:
        TokenKeys(module, "nobody", PIN).load()

    assert "\n" not in str(caught.value)


def test_missing_module_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(SigningUnavailable, match=r"nowhere\.so") as caught:
        TokenKeys(tmp_path / "nowhere.so", "first", PIN).load()

    assert "\n" not in str(caught.value)


def test_missing_package_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "pkcs11", None)

    with pytest.raises(SigningUnavailable, match="python-pkcs11"):
        TokenKeys(tmp_path / "x.so", "first", PIN).load()


def test_call_that_hangs_in_the_module_does_not_hang_the_next(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("bacen.signing.token_keys.LOCK_SECONDS_MAX", 0)
    keys = TokenKeys(tmp_path / "x.so", "first", PIN)

    with keys._lock, pytest.raises(SigningUnavailable, match="hangs"):
        keys.load()
