"""Where the second ledger is: nothing by default, and nothing unreasonable."""

from pathlib import Path

import pytest

from config import InvalidSettings, load_settings


def test_there_is_no_second_ledger_unless_it_is_set() -> None:
    settings = load_settings()

    assert settings.ledger.tigerbeetle.addresses is None
    assert settings.ledger.tigerbeetle.failures_max == 3
    assert settings.ledger.tigerbeetle.rest_ms == 30_000


def test_second_ledger_is_read_from_a_file_and_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "corrente.toml"
    file.write_text('[ledger.tigerbeetle]\naddresses = "3000"\ncluster_id = 7\n')
    monkeypatch.setenv("CORRENTE_LEDGER__TIGERBEETLE__DEADLINE_MS", "500")

    tigerbeetle = load_settings(file).ledger.tigerbeetle

    assert (tigerbeetle.addresses, tigerbeetle.cluster_id) == ("3000", 7)
    assert tigerbeetle.deadline_ms == 500


@pytest.mark.parametrize("addresses", ["3000", "3000,3001", "a:3000,10.0.0.2:3001", "[::1]:3000"])
def test_addresses_are_those_of_tigerbeetle(addresses: str) -> None:
    overrides = {"ledger": {"tigerbeetle": {"addresses": addresses}}}

    assert load_settings(overrides=overrides).ledger.tigerbeetle.addresses == addresses


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("addresses", ""),
        ("addresses", "10.0.0.1"),
        ("addresses", "3000,"),
        ("addresses", "3000, 3001"),
        ("addresses", ":3000"),
        ("addresses", "3000,host:70000"),
        ("cluster_id", -1),
        ("deadline_ms", 10),
        ("failures_max", 0),
        ("rest_ms", 0),
        ("address", "3000"),
    ],
)
def test_what_makes_no_sense_is_named(key: str, value: object) -> None:
    with pytest.raises(InvalidSettings) as refused:
        load_settings(overrides={"ledger": {"tigerbeetle": {key: value}}})

    assert f"ledger.tigerbeetle.{key}" in str(refused.value)
