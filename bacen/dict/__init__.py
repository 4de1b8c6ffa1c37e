"""DICT, the directory of Pix keys: client, codec of its answers, forms of keys, synchronism.

`DictClient.get_entry` answers with a verified `Entry` or a typed error. The codec serves both
ends. `content_id` and `VSync` tell whether our entries are those of DICT. Rules: DICT API 2.12.1.
"""

from bacen import (
    DictError,
    DictRefused,
    DictUnavailable,
    EntryNotFound,
    InvalidKey,
)
from bacen.dict.cid import Cid, ContentAttributes, content_id, is_content_id, parse_cid
from bacen.dict.client import DictClient
from bacen.dict.entry import Entry, decode_entry_response, encode_entry_response
from bacen.dict.keys import KeyType, PixKey, key_type, parse_key
from bacen.dict.problem import Problem, Violation, decode_problem, encode_problem
from bacen.dict.vsync import VSync

__all__ = [
    "Cid",
    "ContentAttributes",
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
    "VSync",
    "Violation",
    "content_id",
    "decode_entry_response",
    "decode_problem",
    "encode_entry_response",
    "encode_problem",
    "is_content_id",
    "key_type",
    "parse_cid",
    "parse_key",
]
