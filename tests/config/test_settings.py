import pickle
from pathlib import Path

import pytest

from config import InvalidSettings, Profile, load_settings

SERVICES = """
profile = "services"

[postgres]
dsn = "postgresql://pix:sesame@db.example/pix"

[nats]
url = "nats://nats.example:4222"

[bacen]
icom_url = "https://icom.example"
dict_url = "https://dict.example"
ca_file = "ca.pem"
client_certificate_file = "client.pem"
client_key_file = "client.key"
signing_certificate_file = "signing.pem"
signing_key_file = "signing.key"
bank_certificates_file = "bank.pem"
"""


@pytest.fixture(autouse=True)
def empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test a working directory of its own, so that `.corrente` is nobody's data."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def mistakes(config_file: Path | None = None, **overrides: object) -> list[str]:
    with pytest.raises(InvalidSettings) as caught:
        load_settings(config_file, overrides=overrides)
    return str(caught.value).splitlines()


def test_without_any_source_the_defaults_hold(tmp_path: Path) -> None:
    settings = load_settings()

    assert settings.profile is Profile.EMBEDDED
    assert settings.home == tmp_path / ".corrente"
    assert (settings.gateway.host, settings.gateway.port) == ("127.0.0.1", 4003)
    assert settings.gateway.body_max_bytes == 65_536
    assert settings.bacen.streams == 6
    assert settings.limits.payment_max_cents == 99_999_999_999


def test_option_beats_environment_beats_file_beats_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "own.toml"
    file.write_text('[gateway]\nhost = "::1"\nport = 1\nbody_max_bytes = 2048\n')
    monkeypatch.setenv("CORRENTE_GATEWAY__PORT", "2")
    monkeypatch.setenv("CORRENTE_GATEWAY__BODY_MAX_BYTES", "4096")

    gateway = load_settings(file, overrides={"gateway": {"port": 3, "host": None}}).gateway

    assert (gateway.port, gateway.body_max_bytes, gateway.host) == (3, 4096, "::1")


def test_file_in_home_is_read_without_being_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "corrente.toml").write_text('[log]\nlevel = "warning"\n')
    monkeypatch.setenv("CORRENTE_HOME", str(tmp_path / "data"))

    assert load_settings().log.level == "warning"


def test_file_in_home_cannot_move_home(tmp_path: Path) -> None:
    (tmp_path / "corrente.toml").write_text('home = "/elsewhere"\n')

    (line,) = mistakes(home=str(tmp_path))

    assert line.startswith("home: cannot be set in")


def test_profile_services_takes_every_address(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(SERVICES)

    settings = load_settings(file)

    assert settings.postgres.dsn is not None
    assert settings.postgres.dsn.get_secret_value() == "postgresql://pix:sesame@db.example/pix"
    assert settings.bacen.ca_file == tmp_path / "ca.pem"


@pytest.mark.parametrize(
    ("text", "key"),
    [('dict_category = "I"', "bacen.dict_category"), ("dict_rate_factor = 0", "dict_rate_factor")],
)
def test_category_and_factor_of_dict_are_checked(tmp_path: Path, text: str, key: str) -> None:
    file = tmp_path / "own.toml"
    file.write_text(SERVICES)
    assert load_settings(file).bacen.dict_category is None
    file.write_text(SERVICES.replace("[bacen]", f"[bacen]\n{text}"))

    (line,) = mistakes(file)

    assert key in line


def test_profile_services_names_each_address_that_is_missing() -> None:
    lines = mistakes(profile="services", nats={"url": "nats://nats.example"})

    assert lines[0] == "postgres.dsn: is required by profile services"
    assert len(lines) == 9
    assert not any(line.startswith("nats.url") for line in lines)


def test_profile_embedded_refuses_an_address_it_would_not_use() -> None:
    assert mistakes(nats={"url": "nats://nats.example"}) == [
        "nats.url: is not used by profile embedded"
    ]


TOKEN = """signing_module = "libsofthsm2.so"
signing_token = "corrente"
signing_pin = "1234"
"""


def test_keys_lie_in_a_file_or_in_a_token(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(SERVICES.replace('signing_key_file = "signing.key"\n', TOKEN))

    assert load_settings(file).bacen.signing_token == "corrente"


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("", TOKEN, "bacen.signing_key_file: is not used with a token"),
        (
            'signing_key_file = "signing.key"',
            'signing_module = "x.so"\nsigning_pin = "1234"',
            "bacen.signing_token: is required by a token",
        ),
        (
            'signing_key_file = "signing.key"',
            "",
            "bacen.signing_key_file: is required by profile services",
        ),
    ],
    ids=["both", "half a token", "neither"],
)
def test_keys_in_two_places_or_none_are_a_mistake(
    old: str, new: str, line: str, tmp_path: Path
) -> None:
    file = tmp_path / "own.toml"
    file.write_text(SERVICES.replace(old, new, 1) if old else SERVICES + new)

    assert mistakes(file) == [line]


def test_profile_embedded_has_no_token() -> None:
    assert mistakes(bacen={"signing_pin": "1234"}) == [
        "bacen.signing_pin: is not used by profile embedded"
    ]


def test_every_mistake_has_its_line_and_its_key() -> None:
    assert mistakes(
        profile="cloud",
        gateway={"port": 70_000, "body_max_bytes": "many"},
        institution={"ispb": "1234", "name": ""},
        bacen={"streams": 7, "icom_url": "http://icom.example"},
        log=3,
    ) == [
        "profile: must be one of embedded or services, got cloud",
        "institution.ispb: string should match pattern '^[0-9A-Z]{8}$', got 1234",
        "institution.name: must have 1 to 140 characters, got ",
        "gateway.port: must be between 0 and 65535, got 70000",
        "gateway.body_max_bytes: must be a whole number, got many",
        "bacen.icom_url: must be a URL that starts with https://",
        "bacen.streams: must be between 1 and 6, got 7",
        "log: must be a section with keys of its own, got 3",
    ]


def test_unknown_key_of_a_file_is_a_mistake(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text("colour = 1\n[gateway]\nprot = 1\n[gatway]\nport = 1\n")

    assert sorted(mistakes(file)) == [
        "colour: unknown key",
        "gateway.prot: unknown key; did you mean port?",
        "gatway: unknown key; did you mean gateway?",
    ]


@pytest.mark.parametrize(
    ("variable", "line"),
    [
        ("CORRENTE_GATEWAY__PROT", "gateway.prot: unknown key; did you mean port?"),
        ("CORRENTE_GATWAY__PORT", "gatway: unknown key; did you mean gateway?"),
        ("CORRENTE_PROFIL", "profil: unknown key; did you mean profile?"),
        ("CORRENTE_GATEWAY__PORT", "gateway.port: must be a whole number, got tcp"),
    ],
)
def test_mistake_in_the_environment_is_found(
    variable: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "tcp")

    assert mistakes() == [line]


def test_variables_that_kubernetes_sets_for_a_service_are_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("PORT", "SERVICE_HOST", "SERVICE_PORT_HTTP", "PORT_4003_TCP_ADDR"):
        monkeypatch.setenv(f"CORRENTE_{name}", "tcp://10.0.0.1:4003")

    assert load_settings().gateway.port == 4003


def test_no_secret_is_ever_printed() -> None:
    said = mistakes(
        gateway={"jwt_secret": "sesame"},
        postgres={"dsn": "mysql://pix:sesame@db.example"},
        nats={"url": "nats://pix:sesame@nats.example", "password": ["sesame"]},
    )

    assert [line.split(":")[0] for line in said] == [
        "gateway.jwt_secret",
        "postgres.dsn",
        "nats.url",
        "nats.password",
    ]
    assert "sesame" not in str(said)


def test_settings_show_no_secret_in_their_repr(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text(SERVICES)

    assert "sesame" not in repr(load_settings(file))


@pytest.mark.parametrize("content", [b"[gateway\n", b"\xff\xfe"])
def test_file_that_is_no_toml_is_one_line(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_bytes(content)

    (line,) = mistakes(file)

    assert line.startswith(f"{file}: is no TOML: ")


def test_named_file_must_exist(tmp_path: Path) -> None:
    assert mistakes(tmp_path / "own.toml") == [
        f"{tmp_path / 'own.toml'}: No such file or directory"
    ]


def test_settings_cross_a_process_border() -> None:
    settings = load_settings(overrides={"gateway": {"jwt_secret": "s" * 32}})

    assert pickle.loads(pickle.dumps(settings)) == settings  # noqa: S301 - our own bytes
