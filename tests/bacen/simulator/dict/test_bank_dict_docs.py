"""The words about the bank's DICT are true."""

import re
from pathlib import Path

from bacen.dict import ERROR_TYPES, OPERATIONS
from bacen.simulator import DictSettings

ROOT = Path(__file__).parents[4]
DOCUMENT = (ROOT / "docs" / "bank-dict.md").read_text()
SOURCES = "".join(path.read_text() for path in (ROOT / "bacen" / "simulator" / "dict").glob("*.py"))


def test_error_types_that_never_happen_are_named_and_all_others_do() -> None:
    (line,) = re.findall(r"^- Types that never happen: (.*)\.$", DOCUMENT, re.MULTILINE)
    raised = {name for name in ERROR_TYPES if f'"{name}"' in SOURCES}

    assert set(re.findall(r"`(\w+)`", line)) == ERROR_TYPES.keys() - raised


def test_deprecated_operations_and_defaults_are_those_of_the_code() -> None:
    deprecated = {each.name for each in OPERATIONS.values() if each.is_deprecated}
    settings = DictSettings()

    (sentence,) = re.findall(r"^(`create.*)answer 410", DOCUMENT, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", sentence)) == deprecated
    assert f"`complaint_days` ({settings.complaint_days})" in DOCUMENT
    assert f"`refund_days` ({settings.refund_days})" in DOCUMENT
    assert f"`category` ({settings.category})" in DOCUMENT
