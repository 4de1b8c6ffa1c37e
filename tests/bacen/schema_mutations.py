"""Ways to break a document, and ways to change it that break nothing."""

import copy
import random
from collections.abc import Callable

from lxml import etree

from tests.bacen.schema_documents import DS, VALUES

XSI = "http://www.w3.org/2001/XMLSchema-instance"
Element = etree._Element
Mutation = Callable[[Element, random.Random], None]
NAMES = (
    *("Id", "Othr", "MsgId", "Cd", "Prtry", "Issr", "TxId", "InstrId", "Amt", "Rsn", "Envelope"),
    *("RfrdDocAmt", "AdjstmntAmtAndRsn", "AppHdr", "Document", "DtTm", "AddtlInf", "Nope"),
)
SIGNATURE_NAMES = (
    *("KeyName", "X509Data", "KeyInfo", "Object", "Transforms", "X509SKI", "XPath", "Nope"),
    *("Signature", "PGPKeyPacket", "RSAKeyValue", "HMACOutputLength"),
)
TYPES = (
    *("Max35Text", "ISPBType", "MsgIdType", "ISONormalisedDateTime", "Party9Choice", "Nope"),
    *("xs:string", "xs:date", "xs:integer", "xs:anyType", "xs:base64Binary", "ds:CryptoBinary"),
    *("ds:SignatureType", "ds:KeyInfoType", "q:Max35Text", " Max35Text ", "", "ds:DigestValueType"),
    *(
        "xs:token",
        "xs:NCName",
        "xs:int",
        "xs:positiveInteger",
        "xs:NMTOKEN",
        "xs:ID",
        "xs:language",
    ),
    *("xs:anySimpleType", "xs:decimal", "xs:nope", "xs:normalizedString", "xs:byte", "xs:Name"),
    *("ActiveCurrencyAndAmount", "Max140Text", "EndToEndIdType", "SPIEnvelopeMessage", "a:b:c"),
)
SIGNS = "0aZ -+.:|é\t\n\r&<>]_=/٣\x85\xa0\u2028😀"


def elements(root: Element) -> list[Element]:
    return [each for each in root.iter() if isinstance(each.tag, str)]


def some(root: Element, rng: random.Random) -> Element:
    return rng.choice(elements(root))


def below(root: Element, rng: random.Random) -> Element:
    """Pick an element that is not the root."""
    return rng.choice(elements(root)[1:] or [etree.SubElement(root, "x")])


def leaf(root: Element, rng: random.Random) -> Element:
    return rng.choice([each for each in elements(root) if not len(each)])


def parent_of(node: Element) -> Element:
    parent = node.getparent()
    assert parent is not None
    return parent


def drop(root: Element, rng: random.Random) -> None:
    node = below(root, rng)
    parent_of(node).remove(node)


def duplicate(root: Element, rng: random.Random) -> None:
    node = below(root, rng)
    node.addnext(copy.deepcopy(node))


def swap(root: Element, rng: random.Random) -> None:
    parent = rng.choice([each for each in elements(root) if len(each) > 1] or [root])
    children = list(parent)
    if len(children) > 1:
        at = rng.randrange(len(children) - 1)
        children[at].addprevious(children[at + 1])


def shuffle(root: Element, rng: random.Random) -> None:
    parent = rng.choice([each for each in elements(root) if len(each) > 1] or [root])
    children = list(parent)
    rng.shuffle(children)
    parent[:] = children


def move(root: Element, rng: random.Random) -> None:
    node, target = below(root, rng), some(root, rng)
    if target not in set(node.iter()):
        target.insert(rng.randint(0, len(target)), node)


def copy_elsewhere(root: Element, rng: random.Random) -> None:
    node, target = below(root, rng), some(root, rng)
    target.insert(rng.randint(0, len(target)), copy.deepcopy(node))


def nest_in_itself(root: Element, rng: random.Random) -> None:
    node = below(root, rng)
    node.append(copy.deepcopy(node))


def any_name(node: Element, rng: random.Random) -> str:
    namespace = etree.QName(node).namespace or "urn:none"
    names = SIGNATURE_NAMES if namespace == DS else NAMES
    return f"{{{namespace}}}{rng.choice(names)}"


def rename(root: Element, rng: random.Random) -> None:
    node = some(root, rng)
    node.tag = any_name(node, rng)


def rename_case(root: Element, rng: random.Random) -> None:
    node = some(root, rng)
    name = etree.QName(node)
    node.tag = f"{{{name.namespace or 'urn:x'}}}{name.localname.swapcase()}"


def other_namespace(root: Element, rng: random.Random) -> None:
    node = some(root, rng)
    own = etree.QName(root).namespace or "urn:x"
    namespaces = ["urn:wrong", DS, own, own[:-1], own + "/", "https://www.bcb.gov.br/pi/x/1.0"]
    node.tag = f"{{{rng.choice(namespaces)}}}{etree.QName(node).localname}"


def no_namespace(root: Element, rng: random.Random) -> None:
    node = below(root, rng)
    node.tag = etree.QName(node).localname


def insert_child(root: Element, rng: random.Random) -> None:
    node = some(root, rng)
    name = rng.choice([any_name(node, rng), "{urn:foreign}thing", "thing", f"{{{DS}}}KeyName"])
    node.insert(rng.randint(0, len(node)), etree.Element(name))


def insert_signature_part(root: Element, rng: random.Random) -> None:
    parts = [each for each in elements(root) if etree.QName(each).namespace == DS] or [root]
    node = rng.choice(parts)
    child = etree.Element(f"{{{DS}}}{rng.choice(SIGNATURE_NAMES)}")
    child.text = rng.choice(["", "x", "AAAA", "1"])
    node.insert(rng.randint(0, len(node)), child)


def insert_foreign_part(root: Element, rng: random.Random) -> None:
    parts = [each for each in elements(root) if etree.QName(each).namespace == DS] or [root]
    node = rng.choice(parts)
    child = etree.SubElement(node, "{urn:foreign}thing", {"any": "thing"})
    child.text = "text"
    inner = etree.SubElement(
        child, rng.choice([f"{{{DS}}}X509SKI", f"{{{DS}}}DigestValue", "{urn:foreign}inner"])
    )
    inner.text = rng.choice(["AAAA", "A"])


def add_attribute(root: Element, rng: random.Random) -> None:
    names = ["Ccy", "Id", "Algorithm", "URI", "Nope", "{urn:x}Ccy", "{urn:x}Id", f"{{{DS}}}Id"]
    some(root, rng).set(rng.choice(names), rng.choice(["BRL", "x", "", "1", "#a", "USD"]))


def add_xml_attribute(root: Element, rng: random.Random) -> None:
    name = rng.choice(["lang", "space", "base", "id"])
    identity = rng.choice(["id-1", "id-2", "key-info-id", "i"])
    value = {"lang": "pt-BR", "space": "preserve", "base": "urn:x", "id": identity}[name]
    node = rng.choice([some(root, rng), named(root, rng, "thing")])
    node.set(f"{{http://www.w3.org/XML/1998/namespace}}{name}", value)


def with_attributes(root: Element, rng: random.Random) -> Element:
    return rng.choice([each for each in elements(root) if each.attrib] or [root])


def remove_attribute(root: Element, rng: random.Random) -> None:
    node = with_attributes(root, rng)
    if node.attrib:
        del node.attrib[rng.choice(sorted(map(str, node.attrib)))]


def change_attribute(root: Element, rng: random.Random) -> None:
    node = with_attributes(root, rng)
    for name in list(map(str, node.attrib)):
        values = ["", " ", "BRL ", "brl", "USD", "%", "a:b", "1a", "http://[", "a#b#c", "é", "\n"]
        node.set(name, rng.choice([*values, bent(str(node.get(name)), rng)]))


def prefix_attribute(root: Element, rng: random.Random) -> None:
    node = with_attributes(root, rng)
    for name in list(map(str, node.attrib)):
        value = node.attrib.pop(name)
        node.set(f"{{urn:x}}{etree.QName(name).localname}", value)


def repeat_id(root: Element, rng: random.Random) -> None:
    """Two parts of the signature with the same Id."""
    names = {f"{{{DS}}}{name}" for name in ("Signature", "KeyInfo", "Reference", "SignedInfo")}
    for node in elements(root):
        if node.tag in names and rng.random() < 0.7:
            node.set("Id", rng.choice(["same", "same", "other", " same"]))


def space_around(root: Element, rng: random.Random) -> None:
    node = leaf(root, rng)
    space = rng.choice([" ", "\n", "\t", "\r", "\xa0", "\u2003", "  \n"])
    text = node.text or ""
    node.text = rng.choice([space + text, text + space, space + text + space, text[:3] + space])


def shorter(root: Element, rng: random.Random) -> None:
    node = leaf(root, rng)
    text = node.text or ""
    node.text = rng.choice([text[:-1], text[1:]])


def longer(root: Element, rng: random.Random) -> None:
    node = leaf(root, rng)
    text = node.text or ""
    node.text = rng.choice([text + text[-1:], (text[:1] or "0") + text, text + "X"])


def at_the_limit(root: Element, rng: random.Random) -> None:
    node = leaf(root, rng)
    lengths = (1, 8, 32, 33, 35, 77, 105, 140, 350, 500, 1000)
    node.text = rng.choice("aé😀0 ") * (rng.choice(lengths) + rng.choice([-1, 0, 1]))


def bent(text: str, rng: random.Random) -> str:
    """Change, add or take away a few signs."""
    for _ in range(rng.randint(1, 2)):
        at = rng.randint(0, len(text))
        cut = rng.randint(0, 1)
        text = text[:at] + rng.choice(["", rng.choice(SIGNS)]) + text[at + cut :]
    return text


def bend(root: Element, rng: random.Random) -> None:
    node = leaf(root, rng)
    node.text = bent(node.text or "", rng)


def empty(root: Element, rng: random.Random) -> None:
    node = rng.choice([leaf(root, rng), some(root, rng)])
    node[:] = []
    node.text = rng.choice([None, "", " "])


def other_code(root: Element, rng: random.Random) -> None:
    codes = ("HIGH", "PAGPRI", "IPAY", "AB03", "RJCT", "CACC", "MANU", "ALLL", "SLEV", "high")
    leaf(root, rng).text = rng.choice(codes)


def exchange_values(root: Element, rng: random.Random) -> None:
    one, two = leaf(root, rng), leaf(root, rng)
    one.text, two.text = two.text, one.text


def named(root: Element, rng: random.Random, *names: str) -> Element:
    found = [each for each in elements(root) if etree.QName(each).localname in names]
    return rng.choice(found or [leaf(root, rng)])


def other_number(root: Element, rng: random.Random) -> None:
    node = named(root, rng, "IntrBkSttlmAmt", "RtrdIntrBkSttlmAmt", "Amt", "TtlAmt", "NbOfTxs")
    numbers = ("-1", "1e3", "1,00", "0.001", "9" * 19, "1" * 17 + ".10", "+", ".", "", "NaN", "٣")
    node.text = rng.choice([*numbers, bent(rng.choice(VALUES["decimal"]), rng)])


def other_day(root: Element, rng: random.Random) -> None:
    node = named(root, rng, "FrDt", "ToDt", "IntrBkSttlmDt")
    days = ("2026-02-29", "2026-13-01", "2026-00-10", "0000-01-01", "2026-9-28", " 2026-09-28")
    node.text = rng.choice([*days, bent(rng.choice(VALUES["date"]), rng)])


def other_time(root: Element, rng: random.Random) -> None:
    node = named(root, rng, "CreDt", "CreDtTm", "AccptncDtTm", "DtTm", "FrTm", "RjctnDtTm")
    times = ("2026-02-30T00:00:00.000Z", "2026-09-28T24:00:00.001Z", "2026-09-28T23:59:60.000Z")
    kind = "time" if etree.QName(node).localname == "FrTm" else "dateTime"
    node.text = rng.choice([*times, bent(rng.choice(VALUES[kind]), rng), rng.choice(VALUES[kind])])


def other_base64(root: Element, rng: random.Random) -> None:
    node = named(root, rng, "DigestValue", "SignatureValue", "X509Certificate", "X509SKI")
    texts = ("A", "AA", "AAB=", "AB==", "====", "A===", "AA==AAAA", "é", "AA= =", "AAAA!")
    node.text = rng.choice([*texts, bent(rng.choice(VALUES["base64Binary"]), rng)])


def other_serial(root: Element, rng: random.Random) -> None:
    node = named(root, rng, "X509SerialNumber", "HMACOutputLength")
    node.text = rng.choice(["-1", "+1", " 1", "1.", "", "0x1", "9" * 60, "1 1"])


def text_between(root: Element, rng: random.Random) -> None:
    node = rng.choice([each for each in elements(root) if len(each)] or [root])
    text = rng.choice(["x", " ", "\n\t", "\xa0", "0", "\r"])
    if rng.random() < 0.5 or not len(node):
        node.text = (node.text or "") + text
    else:
        node[rng.randrange(len(node))].tail = text


def comment(root: Element, rng: random.Random) -> None:
    insert_node(root, rng, etree.Comment(rng.choice(["", " x ", "0"])))


def instruction(root: Element, rng: random.Random) -> None:
    insert_node(root, rng, etree.ProcessingInstruction("x", "y"))


def insert_node(root: Element, rng: random.Random, node: Element) -> None:
    """Put a comment or the like into the middle of a text or of some elements."""
    place = some(root, rng)
    text = place.text or ""
    at = rng.randint(0, len(text))
    place.text, node.tail = text[:at], text[at:]
    place.insert(0, node)


def cdata(root: Element, rng: random.Random) -> None:
    node = rng.choice([leaf(root, rng), some(root, rng)])
    text = node.text or ""
    if "]]>" not in text:
        node.text = etree.CDATA(rng.choice([text, text, text + " "]))


def nil(root: Element, rng: random.Random) -> None:
    node = some(root, rng)
    node.set(f"{{{XSI}}}nil", rng.choice(["true", "false", "1", "x"]))
    if rng.random() < 0.3:
        node[:] = []
        node.text = None


def instance_type(root: Element, rng: random.Random) -> None:
    node = some(root, rng)
    if rng.random() < 0.4:
        names = ("KeyName", "X509SKI", "FrDt", "ToDt", "MsgDefIdr", "thing", "Fr", "X509IssuerName")
        node = named(root, rng, *names, "X509SerialNumber", "XPath", "HMACOutputLength")
    node.set(f"{{{XSI}}}type", rng.choice(TYPES))


def instance_hint(root: Element, rng: random.Random) -> None:
    name = rng.choice(["schemaLocation", "noNamespaceSchemaLocation", "nope"])
    some(root, rng).set(f"{{{XSI}}}{name}", rng.choice(["urn:x x.xsd", "x.xsd", ""]))


def cash_parts_alike(root: Element, rng: random.Random) -> None:
    for node in elements(root):
        if etree.QName(node).localname == "Rsn" and not len(node):
            node.text = rng.choice(["VLCP", "VLDN"])


MUTATIONS: tuple[Mutation, ...] = (
    *(drop, duplicate, swap, shuffle, move, copy_elsewhere, nest_in_itself, rename, rename_case),
    *(other_namespace, no_namespace, insert_child, insert_signature_part, insert_foreign_part),
    *(add_attribute, add_xml_attribute, remove_attribute, change_attribute, prefix_attribute),
    *(repeat_id, space_around, shorter, longer, at_the_limit, bend, empty, other_code),
    *(exchange_values, other_number, other_day, other_time, other_base64, other_serial),
    *(text_between, comment, instruction, cdata, nil, instance_type, instance_hint),
    cash_parts_alike,
)


def write(root: Element, rng: random.Random) -> bytes:
    """Write a document in one of many spellings."""
    encoding = rng.choice(["UTF-8"] * 6 + ["UTF-16", "ISO-8859-1", "US-ASCII"])
    data = etree.tostring(root, xml_declaration=rng.random() < 0.7, encoding=encoding)
    return data if rng.random() < 0.9 else b"\xef\xbb\xbf" + data


def recode(data: bytes, rng: random.Random) -> bytes:
    """Declare another encoding than the one the bytes have."""
    names = [b"UTF-8", b"utf-8", b"UTF-16", b"ISO-8859-1", b"windows-1252", b"nope", b"US-ASCII"]
    body = data.split(b"?>", 1)[-1] if data.startswith(b"<?xml") else data
    return b'<?xml version="1.0" encoding="' + rng.choice(names) + b'"?>' + body


def break_bytes(data: bytes, rng: random.Random) -> bytes:
    """Cut, overwrite or insert bytes."""
    at = rng.randint(0, len(data))
    pieces = [b"", b"<", b">", b"&", b"&x;", b"&#0;", b"&#65;", b"&amp;", b"\xff", b"\x00", b"q:"]
    return data[:at] + rng.choice(pieces) + data[at + rng.randint(0, 3) :]


def unbind_prefix(data: bytes, rng: random.Random) -> bytes:
    """Use a prefix that nobody declared, or another one for the signature."""
    old, new = rng.choice([(b"<ds:", b"<un:"), (b"ds:", b"sig:"), (b"xmlns=", b"xmlns:p=")])
    return data.replace(old, new, rng.choice([1, -1]))


def around(data: bytes, rng: random.Random) -> bytes:
    """Put something before or after the document."""
    piece = rng.choice([b"<!-- x -->", b"<?x y?>", b"\n", b" ", b"x", b"\xef\xbb\xbf", b"<a/>"])
    return rng.choice([piece + data, data + piece])


BYTE_MUTATIONS: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    *(recode, break_bytes, unbind_prefix, around),
)
