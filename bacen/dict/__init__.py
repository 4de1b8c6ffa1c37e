"""DICT, the directory of Pix keys: client, codec of its answers, forms of keys.

`DictClient.get_entry` answers with a verified `Entry` or a typed error. The codec serves both
ends. Rules: DICT API 2.12.1.
"""

from bacen import (
    DictError,
    DictRefused,
    DictUnavailable,
    EntryNotFound,
    InvalidKey,
)
from bacen.dict.client import DictClient
from bacen.dict.entry import Entry, decode_entry_response, encode_entry_response
from bacen.dict.keys import KeyType, PixKey, key_type, parse_key
from bacen.dict.problem import Problem, Violation, decode_problem, encode_problem

__all__ = [
    "DictClient",
    "DictError",
    "DictRefused",
    "DictUnavailable",
    "Entry",
    "EntryNotFound",
    "InvalidKey",
    "KeyType",
    "PixKey",
    "Problem",
    "Violation",
    "decode_entry_response",
    "decode_problem",
    "encode_entry_response",
    "encode_problem",
    "key_type",
    "parse_key",
]
