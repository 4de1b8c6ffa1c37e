import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import EnvSettingsSource, SettingsError

from config.errors import InvalidSettings, Mistake
from config.settings import ENVIRONMENT_DELIMITER, ENVIRONMENT_PREFIX, Settings

FILE_NAME = "corrente.toml"
SHOWN_CHARACTERS_MAX = 60

# Kubernetes sets these for every service; one that is called "corrente" must not stop us.
OF_KUBERNETES = re.compile("SERVICE_(HOST|PORT)|PORT|PORT_[0-9]+_(TCP|UDP)")


def load_settings(
    config_file: Path | None = None, *, overrides: Mapping[str, Any] | None = None
) -> Settings:
    """Read the settings; the first source that names a key decides it.

    1. `overrides`, nested by section: the options of the command line.
    2. The environment: `CORRENTE_PROFILE`, and `CORRENTE_GATEWAY__PORT` for `gateway.port`.
    3. The TOML file: `config_file`, else `corrente.toml` in `home` if there is one.
    4. The defaults.

    A key that nobody knows is a mistake in each of them, so is a value out of its range. A file
    that was found in `home` cannot move `home`.

    Args:
        config_file: TOML file that must exist; `None` looks in `home`.
        overrides: For example `{"gateway": {"port": 0}}`; a value of `None` counts as absent.

    Raises:
        InvalidSettings: With every mistake that was found; secret values are not repeated.
    """
    given = _without_none(overrides or {})
    environment = _environment()
    first = _merged(environment, given)
    if config_file is None:
        in_file = _file_of_home(Path(str(first.get("home", Settings.model_fields["home"].default))))
    else:
        in_file = _parsed(config_file)
    values = _merged(in_file, first)
    try:
        return Settings(**values)
    except ValidationError as error:
        raise InvalidSettings(tuple(_mistakes(error))) from None


def _without_none(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _without_none(value) if isinstance(value, Mapping) else value
        for key, value in values.items()
        if value is not None
    }


def _merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Put `above` over `below`, section by section."""
    merged = dict(below)
    for key, value in above.items():
        old = merged.get(key)
        if isinstance(old, Mapping) and isinstance(value, Mapping):
            merged[key] = _merged(old, value)
        else:
            merged[key] = value
    return merged


def _environment() -> dict[str, Any]:
    """Take our variables; an unknown one is kept, so that it is refused like any other key."""
    try:
        values = EnvSettingsSource(Settings)()
    except SettingsError as error:
        raise InvalidSettings((Mistake("environment", str(error)),)) from None
    for variable in os.environ:
        name = variable.upper().removeprefix(ENVIRONMENT_PREFIX)
        if name == variable.upper() or OF_KUBERNETES.match(name):
            continue
        section = name.split(ENVIRONMENT_DELIMITER)[0].lower()
        if section not in Settings.model_fields:
            values[section] = variable
    return values


def _file_of_home(home: Path) -> dict[str, Any]:
    path = home.expanduser() / FILE_NAME
    if not path.is_file():
        return {}
    values = _parsed(path)
    if "home" in values:
        raise InvalidSettings((Mistake("home", f"cannot be set in {path}, which lies in home"),))
    return values


def _parsed(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except OSError as error:
        problem = error.strerror or "cannot be read"
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        problem = f"is no TOML: {error}"
    raise InvalidSettings((Mistake(str(path), problem),))


def _mistakes(error: ValidationError) -> Iterator[Mistake]:
    for details in error.errors(include_url=False):
        if details["type"] == "profile":
            yield from (Mistake(key, problem) for key, problem in details["ctx"].items())
            continue
        path = tuple(str(part) for part in details["loc"])
        yield Mistake(".".join(path), _problem(details, path))


def _problem(details: ErrorDetails, path: tuple[str, ...]) -> str:
    """Say what must hold, then what was given, unless that is or could hold a secret."""
    field, siblings = _field(path)
    kind = details["type"]
    if kind == "extra_forbidden":
        close = difflib.get_close_matches(path[-1], siblings, n=1)
        return f"unknown key; did you mean {close[0]}?" if close else "unknown key"
    if kind == "url" or field is None:
        return details["msg"]
    rule = _rule(kind, details, field)
    given = details["input"]
    if _is_secret(field) or not isinstance(given, (str, int, float)):
        return rule
    return f"{rule}, got {str(given)[:SHOWN_CHARACTERS_MAX]}"


def _rule(kind: str, details: ErrorDetails, field: FieldInfo) -> str:
    bounds = {
        name: getattr(rule, name)
        for rule in field.metadata
        for name in ("ge", "le", "min_length", "max_length")
        if getattr(rule, name, None) is not None
    }
    match kind:
        case "greater_than_equal" | "less_than_equal":
            return f"must be between {bounds['ge']} and {bounds['le']}"
        case "string_too_short" | "string_too_long":
            most = f" to {bounds['max_length']}" if "max_length" in bounds else " or more"
            return f"must have {bounds['min_length']}{most} characters"
        case "int_parsing" | "int_type" | "int_from_float":
            return "must be a whole number"
        case "model_type" | "model_attributes_type":
            return "must be a section with keys of its own"
        case "enum":
            return f"must be one of {details['ctx']['expected']}".replace("'", "")
        case _:
            return details["msg"][:1].lower() + details["msg"][1:]


def _field(path: tuple[str, ...]) -> tuple[FieldInfo | None, Iterable[str]]:
    """Return the field at `path`, if there is one, and the names that are known beside it."""
    model: Any = Settings
    field: FieldInfo | None = None
    for name in path:
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            return field, ()
        if name not in model.model_fields:
            return None, model.model_fields
        field = model.model_fields[name]
        model = field.annotation
    return field, ()


def _is_secret(field: FieldInfo) -> bool:
    return SecretStr in _parts(field.annotation)


def _parts(annotation: Any) -> Iterator[Any]:
    """Walk an annotation such as `Annotated[SecretStr, ...] | None` down to its plain types."""
    yield annotation
    for part in get_args(annotation):
        yield from _parts(part)
