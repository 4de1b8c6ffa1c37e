"""Patterns of canonical XML, written as the element tree they accept.

A message is read by matching its canonical text against one pattern a repeated part. Such a
pattern has one reading only, so what is read is what was hashed; and it costs a tenth of a
walk over an element tree (`bench/wire.py`).
"""

import re

TEXT = r"([^<>\r]*)"  # canonical text has these three only as references


def element(name: str, *parts: str, attributes: str = "") -> str:
    """Pattern of one element with exactly these parts in this order."""
    tag = re.escape(name)
    return f"<{tag}{re.escape(attributes)}>{''.join(parts)}</{tag}>"


def nested(path: str, inner: str = TEXT) -> str:
    """Pattern of elements inside each other (`Id/Othr/Id`) around the inner pattern."""
    for name in reversed(path.split("/")):
        inner = element(name, inner)
    return inner


def optional(*parts: str) -> str:
    """Pattern of parts that may all be absent."""
    return f"(?:{''.join(parts)})?"


def wrap(path: str, inner: str) -> str:
    """Text of elements inside each other around the inner text."""
    names = path.split("/")
    start = "".join(f"<{name}>" for name in names)
    return f"{start}{inner}{''.join(f'</{name}>' for name in reversed(names))}"
