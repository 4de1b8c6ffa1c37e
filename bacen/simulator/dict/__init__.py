"""DICT, the directory of keys, as the bank keeps it: all operations of API 2.12.1 with their rules.

One process owns the state (`Directory`), one endpoint serves it (`DictEndpoint`). What it promises
and where it differs from the real one: `docs/bank-dict.md`.
"""

from bacen.simulator.dict.admin import DictControl
from bacen.simulator.dict.directory import Directory
from bacen.simulator.dict.endpoint import DictEndpoint
from bacen.simulator.dict.errors import DictRefusal
from bacen.simulator.dict.metrics import dict_metrics
from bacen.simulator.dict.office import Asked
from bacen.simulator.dict.requests import (
    DIRECTORY,
    Ask,
    DirectoryStatistics,
    GetDirectoryStatistics,
)
from bacen.simulator.dict.seed import load_entries
from bacen.simulator.dict.settings import DictSettings

__all__ = [
    "DIRECTORY",
    "Ask",
    "Asked",
    "DictControl",
    "DictEndpoint",
    "DictRefusal",
    "DictSettings",
    "Directory",
    "DirectoryStatistics",
    "GetDirectoryStatistics",
    "dict_metrics",
    "load_entries",
]
