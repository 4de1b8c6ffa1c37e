"""Rules of the house that no tool has: sizes, faces, money without floats, errors that travel."""

import ast
import collections
import importlib
import pickle
import re
import subprocess
import types
import typing
from collections.abc import Iterator
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import Path
from uuid import UUID

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = (
    *("actors", "bacen", "config", "corrente", "gateway"),
    *("ledger", "loadtest", "pipelines", "pix", "supervisors"),
)
FUNCTION_LINES_MAX = 70
MODULE_LINES_MAX = 500
WITHOUT_FLOAT = ("bacen", "ledger", "pix")
UNFIT_NAMES = {"base", "common", "helpers", "manager", "utils"}
IGNORE_WITH_REASON = re.compile(r"# type: ignore\[[a-z-]+(, ?[a-z-]+)*\] +(#|-|\() ?\w")
# No path of one machine: the words are in pieces, so that this file does not trip over itself.
MACHINE_FOLDERS = "|".join(["ro" + "ot", "wo" + "rk", "ho" + "me"])
MACHINE_PATHS = re.compile(rf"(?<![\w.])/({MACHINE_FOLDERS})/(?!you/)")  # "you": an example
MACHINE_PATHS_ALLOWED: dict[str, str] = {}  # path -> reason
# "path:line text" of a float that is right where it stands -> reason
FLOATS_ALLOWED: dict[str, str] = {}


def modules(*rooms: str) -> list[Path]:
    return sorted(path for room in rooms for path in (ROOT / room).rglob("*.py"))


def sources() -> list[Path]:
    return modules(*ROOMS, "tests", "bench")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=name_of(path))


def dotted(path: Path) -> str:
    """Turn a file into the name of its module or package."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def packages() -> list[str]:
    return [dotted(path) for path in modules(*ROOMS) if path.name == "__init__.py"]


def error_modules() -> list[Path]:
    return [path for path in modules(*ROOMS) if path.name == "errors.py"]


def public(package: str) -> list[str]:
    return list(getattr(importlib.import_module(package), "__all__", []))


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_module_and_its_functions_are_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    long = {
        node.name: node.end_lineno - node.lineno + 1
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if node.end_lineno is not None and node.end_lineno - node.lineno + 1 > FUNCTION_LINES_MAX
    }

    assert text.count("\n") <= MODULE_LINES_MAX
    assert long == {}


@pytest.mark.parametrize("path", modules(*ROOMS), ids=name_of)
def test_module_is_named_after_what_it_holds(path: Path) -> None:
    assert path.stem not in UNFIT_NAMES


@pytest.mark.parametrize("package", packages())
def test_face_has_a_docstring_and_a_sorted_list(package: str) -> None:
    module = importlib.import_module(package)
    tree = parsed(Path(str(module.__file__)))

    assert len(ast.get_docstring(tree) or "") > len("."), "the face says what the package promises"
    assert public(package) == sorted(public(package), key=rank)
    assert len(public(package)) == len(set(public(package)))
    assert [name for name in public(package) if not hasattr(module, name)] == []


def rank(name: str) -> tuple[bool, bool, str]:
    """Order a face as ruff (RUF022) does: CONSTANTS, Classes, functions."""
    return not name.isupper(), not name[0].isupper(), name


@pytest.mark.parametrize("package", packages())
def test_public_names_of_a_face_have_docstrings(package: str) -> None:
    face = importlib.import_module(package)
    named = {name: getattr(face, name) for name in public(package)}
    bare = [name for name, thing in named.items() if is_definition(thing) and not has_words(thing)]

    assert bare == []


def is_definition(thing: object) -> bool:
    return isinstance(thing, type | types.FunctionType)


def has_words(thing: object) -> bool:
    """Tell whether somebody wrote a docstring; a dataclass gives itself its signature as one."""
    words = thing.__doc__ if not isinstance(thing, type) else vars(thing).get("__doc__")
    name = getattr(thing, "__name__", "")
    return bool(words) and not str(words).startswith(f"{name}(")


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_other_packages_are_imported_by_their_faces_only(path: Path) -> None:
    """A package is entered by its `__init__`; files behind it are for its own files.

    A package inside a room may use the files of the packages around it: their face, which imports
    this one, would be a circle. A test may look behind the face of the room it tests.
    """
    own = dotted(path) if path.name == "__init__.py" else dotted(path).rpartition(".")[0]
    tested = path.relative_to(ROOT / "tests").parts[0] if own.startswith("tests") else ""
    behind = [
        name
        for name in imported(parsed(path))
        if name.split(".")[0] in ROOMS and not is_package(name)
        if not f"{own}.".startswith(name.rpartition(".")[0] + ".") and name.split(".")[0] != tested
    ]

    assert behind == []


def imported(tree: ast.Module) -> Iterator[str]:
    """Name every module that is imported, wherever in the file the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield node.module
            for alias in node.names:  # `from ledger import core` imports a module as well
                name = f"{node.module}.{alias.name}"
                is_module = (ROOT / name.replace(".", "/")).with_suffix(".py").exists()
                if is_module and alias.name not in listed(node.module):
                    yield name


def listed(package: str) -> list[str]:
    """Read `__all__` without importing; it may hold a name that a module has as well."""
    face = ROOT / package.replace(".", "/") / "__init__.py"
    for node in ast.walk(parsed(face)) if face.exists() else ():
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return list(ast.literal_eval(node.value))
    return []


def is_package(name: str) -> bool:
    return (ROOT / name.replace(".", "/") / "__init__.py").exists()


@pytest.mark.parametrize("path", modules(*WITHOUT_FLOAT), ids=name_of)
def test_rooms_that_hold_money_have_no_float(path: Path) -> None:
    found = []
    for node in ast.walk(parsed(path)):
        literal = isinstance(node, ast.Constant) and isinstance(node.value, float)
        call = isinstance(node, ast.Call) and ast.unparse(node.func) == "float"
        if literal or call:
            line = path.read_text(encoding="utf-8").splitlines()[node.lineno - 1].strip()
            found.append(f"{name_of(path)}: {line}")

    assert [line for line in found if line not in FLOATS_ALLOWED] == []


@pytest.mark.parametrize("path", sources(), ids=name_of)
def test_type_ignore_names_its_rule_and_its_reason(path: Path) -> None:
    if path == Path(__file__):
        return
    bare = [
        line.strip()
        for line in path.read_text(encoding="utf-8").splitlines()
        if "# type: ignore" in line and not IGNORE_WITH_REASON.search(line)
    ]

    assert bare == []


def test_rooms_are_those_of_this_checkout() -> None:
    """The names are generic: a stranger's package on the path must not stand in for ours."""
    files = {room: importlib.import_module(room).__file__ for room in ROOMS}

    assert files == {room: str(ROOT / room / "__init__.py") for room in ROOMS}


def test_no_file_names_a_path_of_one_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    found = []
    for name in listed.stdout.decode().split("\0"):
        path = ROOT / name
        if not name or not path.is_file() or name in MACHINE_PATHS_ALLOWED:
            continue
        text = path.read_bytes().decode("utf-8", errors="replace")
        found += [f"{name}: {match.group()}" for match in MACHINE_PATHS.finditer(text)]

    assert found == []


@pytest.mark.parametrize("path", error_modules(), ids=name_of)
def test_errors_survive_pickling_with_their_fields(path: Path) -> None:
    module = importlib.import_module(dotted(path))
    broken = [
        name
        for name, thing in vars(module).items()
        if isinstance(thing, type) and issubclass(thing, Exception)
        if thing.__module__ == module.__name__ and not travels(thing)
    ]

    assert broken == []


def travels(error: type[Exception]) -> bool:
    """Make an error with a value in every field and see whether it comes back the same."""
    annotations = typing.get_type_hints(error.__init__)
    annotations.pop("return", None)
    values = {name: example(kind) for name, kind in annotations.items()}
    made = error(**values)
    arrived = pickle.loads(pickle.dumps(made))  # noqa: S301 - our own bytes
    kept = {name: getattr(arrived, name) for name in values}
    return (
        type(arrived) is error
        and str(arrived) == str(made)
        and all(same(kept[name], value) for name, value in values.items())
    )


def same(left: object, right: object) -> bool:
    """Compare, exceptions by what they say: they are equal only to themselves."""
    if isinstance(left, BaseException):
        return type(left) is type(right) and str(left) == str(right)
    return left == right


EXAMPLES: dict[object, object] = {
    int: 7,
    str: "seven",
    bytes: b"seven",
    bool: True,
    float: 7.5,
    object: "anything",
    typing.Any: "anything",
    type(None): None,
    Path: Path("some/file"),
    UUID: UUID(int=16),
    datetime: datetime(2024, 2, 29, 12, 30, tzinfo=UTC),
    date: date(2024, 2, 29),
    Exception: ValueError("seven"),
    BaseException: ValueError("seven"),
}


def example(kind: typing.Any) -> typing.Any:  # noqa: PLR0911 - one line a kind of annotation
    """Make a value that fits an annotation."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if kind in EXAMPLES:
        return EXAMPLES[kind]
    if origin is typing.Literal:
        return arguments[0]
    if origin in (types.UnionType, typing.Union, typing.Annotated):
        return example(arguments[0])
    if origin is not None:
        return example_of_collection(origin, arguments)
    if hasattr(kind, "__supertype__"):
        return example(kind.__supertype__)
    if issubclass(kind, Enum):
        return next(iter(kind))
    if issubclass(kind, BaseException):
        return kind()
    hints = typing.get_type_hints(kind)
    return kind(**{name: example(hint) for name, hint in hints.items()})


def example_of_collection(origin: typing.Any, arguments: tuple[typing.Any, ...]) -> typing.Any:
    """Make a collection of one of each; an empty one of what nobody says what it holds."""
    if issubclass(origin, collections.abc.Mapping):
        return {example(arguments[0]): example(arguments[1])}
    values = [example(argument) for argument in arguments if argument is not Ellipsis]
    if issubclass(origin, set | frozenset):
        return origin(values)
    return tuple(values) if issubclass(origin, tuple) else values
