"""XML of the DICT API 2.12.1 from structs and back: elements without namespace, named as fields.

Two ways to read. A *request* is read strictly: what we do not know, we refuse, for the sender
believes that we act upon it. A *response* is read tolerantly: DICT adds elements from one version
to the next, and a participant that stopped at them would stop paying. Either way an element that
stands twice, or text where elements belong, is refused: two readers could read it differently.
"""

from typing import Any, TypeVar

from lxml import etree

from bacen import InvalidMessage
from bacen.dict.part import Attribute, Content, Header, Items, Part, Slot, require_rule, slots_of

P = TypeVar("P", bound=Part)


def write_part(part: Part, tag: str) -> etree._Element:
    """Write a struct as an element; a list is there even when empty.

    Raises:
        InvalidMessage: A text holds a character that XML forbids.
    """
    element = etree.Element(tag)
    try:
        _fill(element, part)
    except ValueError:
        raise InvalidMessage(tag, "holds a character that XML forbids") from None
    return element


def read_part(kind: type[P], element: etree._Element, *, is_strict: bool) -> P:
    """Read an element as a struct.

    Args:
        kind: The struct.
        element: Verified where it had to be.
        is_strict: Refuse unknown elements and attributes, as in a request.

    Raises:
        InvalidMessage: It does not follow the API's schema; its `path` is the way of the elements.
    """
    slots = slots_of(kind)
    values = _attributes(slots, element, is_strict=is_strict)
    content = next((slot for slot in slots if isinstance(slot.place, Content)), None)
    if content is not None and content.form is not None:
        values[content.name] = content.form.value_of(_text(element, content.tag), content.tag)
    else:
        values |= _elements(slots, element, is_strict=is_strict)
    for slot in slots:
        if slot.name not in values and slot.is_compulsory:
            raise InvalidMessage(slot.tag, "must be there")
    return kind(**values)


def _fill(element: etree._Element, part: Part) -> None:
    for slot in slots_of(type(part)):
        value = getattr(part, slot.name)
        if value is None or isinstance(slot.place, Header):
            continue
        if isinstance(slot.place, Items):
            wrapper = etree.SubElement(element, slot.tag)
            for item in value:
                _add(wrapper, slot.place.tag, slot, item)
        elif slot.form is not None and isinstance(slot.place, Attribute):
            element.set(slot.tag, slot.form.write(value))
        elif slot.form is not None and isinstance(slot.place, Content):
            element.text = slot.form.write(value)
        else:
            _add(element, slot.tag, slot, value)


def _add(parent: etree._Element, tag: str, slot: Slot, value: Any) -> None:
    child = etree.SubElement(parent, tag)
    if slot.form is None:
        _fill(child, value)
    else:
        child.text = slot.form.write(value)


def _attributes(
    slots: tuple[Slot, ...], element: etree._Element, *, is_strict: bool
) -> dict[str, Any]:
    known = {slot.tag: slot for slot in slots if isinstance(slot.place, Attribute)}
    values: dict[str, Any] = {}
    for name, text in element.attrib.items():
        slot = known.get(str(name))
        if slot is None:
            require_rule(not is_strict, str(element.tag), "holds an unknown attribute")
        elif slot.form is not None:
            values[slot.name] = slot.form.value_of(str(text), slot.tag)
    return values


def _elements(
    slots: tuple[Slot, ...], element: etree._Element, *, is_strict: bool
) -> dict[str, Any]:
    known = {slot.tag: slot for slot in slots if not isinstance(slot.place, Attribute | Header)}
    values: dict[str, Any] = {}
    for child in _children(element):
        slot = known.get(child.tag)
        if slot is None:
            require_rule(not is_strict, str(element.tag), "holds an unknown element")
            continue
        require_rule(slot.name not in values, slot.tag, "stands twice")
        if isinstance(slot.place, Items):
            values[slot.name] = _items(slot, slot.place.tag, child, is_strict=is_strict)
        else:
            values[slot.name] = _value(slot, slot.tag, child, is_strict=is_strict)
    return values


def _items(slot: Slot, tag: str, wrapper: etree._Element, *, is_strict: bool) -> tuple[Any, ...]:
    found = []
    for child in _children(wrapper):
        if child.tag == tag:
            found.append(_value(slot, f"{slot.tag}/{tag}", child, is_strict=is_strict))
        else:
            require_rule(not is_strict, slot.tag, "holds an unknown element")
    return tuple(found)


def _value(slot: Slot, path: str, child: etree._Element, *, is_strict: bool) -> Any:
    if slot.part is None:
        assert slot.form is not None  # the plan says one or the other
        require_rule(not (is_strict and child.attrib), path, "holds an unknown attribute")
        return slot.form.value_of(_text(child, path), path)
    try:
        return read_part(slot.part, child, is_strict=is_strict)
    except InvalidMessage as error:
        raise InvalidMessage(f"{path}/{error.path}", error.problem) from None


def _children(element: etree._Element) -> list[etree._Element]:
    """Give the elements inside; comments, instructions and text have no place among them."""
    between = (element.text, *(child.tail for child in element))
    path = str(element.tag)
    require_rule(not any((text or "").strip() for text in between), path, "holds text")
    children = list(element)
    require_rule(all(isinstance(child.tag, str) for child in children), path, "holds a comment")
    return children


def _text(element: etree._Element, path: str) -> str:
    # A comment inside would cut the text in two: `a<!-- -->b` must not be read as `a`.
    require_rule(len(element) == 0, path, "must be text")
    return element.text or ""
