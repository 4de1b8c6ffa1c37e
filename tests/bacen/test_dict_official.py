"""Our table and structs against the API's own document, and the official examples of 1.8.0.

The document and the examples are not part of the repository.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from bacen import InvalidMessage
from bacen.dict import CATEGORY_RULES, OPERATIONS, POLICY_RULES, Part, forms
from bacen.dict.document import read_part
from bacen.dict.error_types import ERROR_TYPES
from bacen.dict.limits import (
    LEGAL_USER_PRICE,
    LEGAL_USER_RULE,
    NATURAL_USER_PRICE,
    NATURAL_USER_RULE,
    PARTICIPANT_PRICE,
)
from bacen.dict.part import Attribute, Content, Header, Items, slots_of

# Where we differ on purpose.
DIFFERENT = {
    "/Keys/hasEntry: compulsory": "an answer without it says nothing",
    "/CidSetEvents/Type: compulsory": "an event without it says nothing",
    "/CidSetEvents/Cid: compulsory": "an event without it says nothing",
    "/CidSetEvents/Timestamp: compulsory": "an event without it has no place among the others",
    "/FraudMarker/InfractionReport/ReporterParticipant: compulsory": "lists leave it out",
    "/FraudMarkers/InfractionReport: ['ReporterParticipant']": "one struct serves lists too",
    "/FraudMarkers/InfractionReport/Id: compulsory": "a report without it says nothing",
}


@pytest.fixture(scope="module")
def api(reference_folder: Path) -> dict[str, Any]:
    name = "dict-api-2.12.1.condensed.json"
    read: dict[str, Any] = json.loads((reference_folder / "openapi" / name).read_text())
    return read


def operations_of(api: dict[str, Any]) -> dict[str, tuple[str, str, dict[str, Any]]]:
    return {
        operation["operationId"]: (method, path, operation)
        for path, methods in api["paths"].items()
        for method, operation in methods.items()
    }


def resolved(api: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        schema = api["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def object_of(api: dict[str, Any], schema: dict[str, Any]) -> tuple[dict[str, Any], set[str]]:
    """Properties and required names of an object, with what it is built on."""
    schema = resolved(api, schema)
    properties = dict(schema.get("properties", {}))
    required = set(schema.get("required", ()))
    for part in schema.get("allOf", ()):
        more, needed = object_of(api, part)
        properties |= more
        required |= needed
    alternatives = [object_of(api, each) for each in schema.get("oneOf", ())]
    for more, _ in alternatives:
        properties |= more
    if alternatives:
        required |= set.intersection(*(needed for _, needed in alternatives))
    properties.pop("Signature", None)
    return properties, required


def compare(api: dict[str, Any], schema: dict[str, Any], part: type[Part], way: str) -> list[str]:
    """Tell how a struct differs from its schema: names, what is compulsory, lists, codes."""
    properties, required = object_of(api, schema)
    slots = {slot.tag: slot for slot in slots_of(part) if not isinstance(slot.place, Content)}
    differences = []
    if set(slots) != set(properties):
        differences.append(f"{way}: {sorted(set(slots) ^ set(properties))}")
    for name in set(slots) & set(properties):
        slot, told = slots[name], resolved(api, properties[name])
        is_list = told.get("type") == "array"
        if is_list is not isinstance(slot.place, Items):
            differences.append(f"{way}/{name}: list")
        if not is_list and slot.is_compulsory is not (name in required):
            differences.append(f"{way}/{name}: compulsory")
        if told.get("xml", {}).get("attribute", False) is not isinstance(slot.place, Attribute):
            differences.append(f"{way}/{name}: attribute")
        inner = resolved(api, told["items"]) if is_list else told
        if slot.part is not None:
            differences += compare(api, inner, slot.part, f"{way}/{name}")
        elif "enum" in inner and slot.form is not None:
            wrong = [code for code in inner["enum"] if not slot.form.accepts(code)]
            differences += [f"{way}/{name}: {code}" for code in wrong]
    return differences


def schema_of(operation: dict[str, Any], status: int) -> dict[str, Any]:
    content = operation["responses"][str(status)]["content"]
    schema: dict[str, Any] = content["application/xml"]["schema"]
    return schema


def test_table_has_every_operation_of_the_api_and_no_other(api: dict[str, Any]) -> None:
    told = operations_of(api)

    assert set(OPERATIONS) == set(told)
    assert len(OPERATIONS) == 48
    for name, (method, path, operation) in told.items():
        ours = OPERATIONS[name]
        assert ours.way.lower() == f"{method} {path}".lower(), name
        assert ours.is_deprecated is operation.get("deprecated", False), name
        assert ours.is_signed is operation.get("x-signed", False), name
        assert str(ours.status) in operation["responses"], name
        assert ours.is_priority is ("servers" not in operation), name


@pytest.mark.parametrize("name", OPERATIONS)
def test_answer_has_the_fields_of_the_api(api: dict[str, Any], name: str) -> None:
    ours = OPERATIONS[name]
    schema = schema_of(operations_of(api)[name][2], ours.status)

    assert schema["$ref"].endswith(f"/{ours.response_tag}")
    differences = compare(api, schema, ours.response, "")
    assert [each for each in differences if each not in DIFFERENT] == []


@pytest.mark.parametrize("name", OPERATIONS)
def test_request_has_the_fields_of_the_api(api: dict[str, Any], name: str) -> None:
    ours = OPERATIONS[name]
    told = operations_of(api)[name][2]

    if ours.has_body:
        schema = told["requestBody"]["content"]["application/xml"]["schema"]
        assert schema["$ref"].endswith(f"/{ours.request_tag}")
        assert compare(api, schema, ours.request, "") == []
        return
    parameters = {each["name"]: each for each in told["parameters"]}
    slots = {slot.tag: slot for slot in slots_of(ours.request)}
    assert {tag.lower() for tag in slots} == {each.lower() for each in parameters}
    for tag, slot in slots.items():
        parameter = parameters.get(tag, parameters.get(tag.lower()))
        assert parameter is not None
        assert slot.is_compulsory is parameter["required"], tag
        assert isinstance(slot.place, Header) is (parameter["in"] == "header"), tag
        assert (f"{{{tag}}}" in ours.way) is (parameter["in"] == "path"), tag
        schema = resolved(api, parameter["schema"])
        assert isinstance(slot.place, Items) is (schema.get("type") == "array"), tag
        if "default" in schema:
            assert slot.default == schema["default"], tag


def test_every_error_type_of_the_api_has_its_class(api: dict[str, Any]) -> None:
    told = {
        kind
        for _, _, operation in operations_of(api).values()
        for kind in operation["x-error-types"]
    }

    assert told <= set(ERROR_TYPES)
    assert set(ERROR_TYPES) - told == {"InternalServerError"}


def test_buckets_are_those_of_the_api(reference_folder: Path) -> None:
    told = json.loads((reference_folder / "dict" / "vectors.json").read_text())
    minutes = {"min": 60_000, "day": 86_400_000}

    assert {
        name: (rule["rate"], rule["capacity"], minutes[rule["refill_per"]])
        for name, rule in told["rate_limit_policies"].items()
    } == {name: (rule.refill, rule.capacity, rule.period_ms) for name, rule in POLICY_RULES.items()}
    assert {
        name: (rule["rate_per_min"], rule["capacity"])
        for name, rule in told["antiscan"]["participant"]["categories"].items()
    } == {str(name): (rule.refill, rule.capacity) for name, rule in CATEGORY_RULES.items()}
    user, participant = told["antiscan"]["user"], told["antiscan"]["participant"]
    for kind, rule, price in (
        ("NATURAL_PERSON", NATURAL_USER_RULE, NATURAL_USER_PRICE),
        ("LEGAL_PERSON", LEGAL_USER_RULE, LEGAL_USER_PRICE),
    ):
        assert (user[kind]["rate_per_min"], user[kind]["capacity"]) == (rule.refill, rule.capacity)
        assert user[kind]["payment_sent_credit"] == price.payment_sent
        assert (user["cost"]["200"], user["cost"]["404"]) == (price.of(200), price.of(404))
    assert participant["payment_sent_credit"] == PARTICIPANT_PRICE.payment_sent
    costs = (participant["cost"]["200"], participant["cost"]["404"])
    assert costs == (PARTICIPANT_PRICE.of(200), PARTICIPANT_PRICE.of(404))


def test_every_operation_draws_on_a_bucket_of_the_table_or_on_none() -> None:
    named = {each.policy for each in OPERATIONS.values() if each.policy is not None}
    without_role = {
        each.policy.replace("_WITH_", "_WITHOUT_")
        for each in OPERATIONS.values()
        if each.roles and each.policy is not None
    }

    assert named | without_role | {"REFUND_LIST_WITHOUT_ROLE"} == {
        *POLICY_RULES,
        "ENTRIES_READ_PARTICIPANT_ANTISCAN",
    }


def test_keys_of_each_type_follow_the_pattern_of_the_api(reference_folder: Path) -> None:
    told = json.loads((reference_folder / "dict" / "vectors.json").read_text())["key_regexes"]

    for key in ("52998224725", "11222333000181", "+5511999887766", "a@b.com.br"):
        kind = forms.kind_of_key(key)
        assert kind is not None
        assert re.fullmatch(told[kind].replace("^(?i)", "(?i)^"), key)


def test_examples_of_the_older_api_that_still_hold_are_read(reference_folder: Path) -> None:
    folder = reference_folder / "openapi" / "dict-api-1.8.0" / "openapi" / "examples"
    read, older = set(), set()
    for path in sorted(folder.rglob("*.xml")):
        root = etree.fromstring(path.read_bytes())
        name = root.tag.removesuffix("Request").removesuffix("Response")
        operation = OPERATIONS.get(name[0].lower() + name[1:])
        if operation is None or "InfractionReport" in name:
            older.add(root.tag)
            continue
        for signature in root.findall("Signature"):
            root.remove(signature)
        is_request = root.tag.endswith("Request")
        kind = operation.request if is_request else operation.response
        try:
            read_part(kind, root, is_strict=False)
        except InvalidMessage as error:
            raise AssertionError(f"{path.name}: {error}") from error
        read.add(root.tag)

    assert len(read) >= 30
    assert "GetOwnerStatisticsResponse" in older
