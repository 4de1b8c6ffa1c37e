"""Messages of the SFN's catalogue 5.11 for the liquidity of PI accounts, as tables of ours.

One line a message in the notation of `bacen/wire/schema/notation.py`; each agrees with the bank's
schema of the same name (catalogue 5.11 of September 2025, package of 979 schemas). LPI0007 and
LPI0008 are the Treasury's and not here.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final

from bacen.wire.schema import (
    Content,
    Facets,
    Group,
    Leaf,
    Particle,
    Repeated,
    Schema,
    Table,
    Value,
    compile_table,
    parse_content,
)

_CLIENT: Final = (
    "(AgCredtd?:Agencia (CtCredtd:CtBancaria | CtPgtoCredtd:CtPgto) CNPJCliCredtd:CNPJ)"
)
_TAKEN: Final = "SitLancSTR:SitLancSTR DtHrSit:dateTime DtMovto:date"

MESSAGES: Final[Mapping[str, str]] = {
    "LPI0001": "NumCtrlIF:ControleIF ISPBIF:ISPB ISPBPSPI:ISPB VlrLanc:Valor DtMovto:date",
    "LPI0001R1": f"NumCtrlIF:ControleIF ISPBIF:ISPB NumCtrlSTR:Controle {_TAKEN}",
    "LPI0001R2": (
        "NumCtrlSTR:Controle DtHrBC:dateTime ISPBIF:ISPB ISPBPSPI:ISPB VlrLanc:Valor DtMovto:date"
    ),
    "LPI0002": "NumCtrlIEME:ControleIF ISPBIEME:ISPB VlrLanc:Valor DtMovto:date",
    "LPI0002R1": f"NumCtrlIEME:ControleIF ISPBIEME:ISPB NumCtrlSTR:Controle {_TAKEN}",
    "LPI0003": (
        "NumCtrlPSPI:ControleIF ISPBPSPI:ISPB ISPBIFCredtd:ISPB "
        f"Grupo_LPI0003_CliCredtd?{_CLIENT} FinlddLPI:FinlddLPI NumCtrlSTROr?:Controle "
        "VlrLanc:Valor DtMovto:date"
    ),
    "LPI0003R1": f"NumCtrlPSPI:ControleIF ISPBPSPI:ISPB NumCtrlSTR:Controle {_TAKEN}",
    "LPI0003R2": (
        "NumCtrlSTR:Controle DtHrBC:dateTime ISPBPSPI:ISPB ISPBIFCredtd:ISPB "
        f"Grupo_LPI0003R2_CliCredtd?{_CLIENT} FinlddLPI:FinlddLPI NumCtrlSTROr?:Controle "
        "VlrLanc:Valor DtMovto:date"
    ),
    "LPI0004": "NumCtrlPSPI:ControleIF ISPBPSPI:ISPB VlrLanc:Valor DtMovto:date",
    "LPI0004R1": f"NumCtrlPSPI:ControleIF ISPBPSPI:ISPB NumCtrlSTR:Controle {_TAKEN}",
    "LPI0005": (
        "NumCtrlPSPI:ControleIF ISPBPSPI:ISPB (PercSldRB_CL:Percentual | VlrRB_CL:Valor) "
        "(PercSldCCME:Percentual | VlrCCME:Valor) DtMovto:date"
    ),
    "LPI0005R1": "NumCtrlPSPI:ControleIF ISPBPSPI:ISPB DtHrBC:dateTime DtMovto:date",
    "LPI0006": (
        "ISPBPSPI:ISPB NumCtrlSTR:Controle TpCtBC:TpCtBC "
        "(PercSldRB_CL?:Percentual | VlrRB_CL?:Valor) (PercSldCCME?:Percentual | VlrCCME?:Valor) "
        f"VlrLanc?:Valor {_TAKEN}"
    ),
    "GEN0004": (
        "ErroGEN:CodErro ISPBEmissor:ISPB ISPBDestinatario:ISPB NumMQ?:NumMQ NUOpOr?:NUOp "
        "NumProtSTAOr?:NumProtSTA Hist?:Historico DtHrPart:dateTime"
    ),
}
"""What stands behind `CodMsg`, by the code of the message."""

REFUSABLE: Final = ("LPI0001", "LPI0002", "LPI0003", "LPI0004", "LPI0005")
"""Requests that come back with an E behind their code when something in them is wrong."""

_TYPES: Final[Mapping[str, Facets]] = {
    "ISPB": Facets(pattern="[0-9A-Z]{8}", least=8, most=8),
    "CNPJ": Facets(pattern="[0-9A-Z]{12}[0-9]{2}", least=14, most=14),
    "NUOp": Facets(pattern="[0-9A-Z]{8}[0-9]{15}", least=23, most=23),
    "Controle": Facets(least=20, most=20),
    "ControleIF": Facets(least=1, most=20),
    "CodErro": Facets(least=8, most=8),
    "DomSist": Facets(least=5, most=5),
    "IdentdOperad": Facets(most=32),
    "Indr": Facets(values="S N"),
    "NumSeq": Facets("integer", pattern=r"\s*[+-]?[0-9]{1,9}\s*"),
    "Valor": Facets("decimal", pattern=r"\s*-?[0-9]{1,17}(\.[0-9]{1,2})?\s*"),
    "Percentual": Facets("decimal", pattern=r"\s*-?[0-9]{1,3}(\.[0-9]{1,2})?\s*"),
    "Agencia": Facets("integer", pattern=r"\s*[0-9]{1,4}\s*"),
    "CtBancaria": Facets("integer", pattern=r"\s*[0-9]{1,13}\s*"),
    "CtPgto": Facets("integer", pattern=r"\s*[0-9]{1,20}\s*"),
    "FinlddLPI": Facets("integer", pattern=r"\s*[0-9]{1,2}\s*"),
    "SitLancSTR": Facets("integer", pattern=r"\s*[0-9]{1,3}\s*"),
    "TpCtBC": Facets(values="RL ME"),
    "NumMQ": Facets(most=48),
    "NumProtSTA": Facets(pattern="[0-9]{8,18}", least=8, most=18),
    "Historico": Facets(most=200),
    "_UserText": Facets(most=1_048_576),
}

_CONTROL: Final = (
    "IdentdEmissor:ISPB IdentdDestinatario:ISPB IdentdContg?:ISPB IdentdOperad?:IdentdOperad "
    "IdentdOperadConfc?:IdentdOperad Grupo_Seq?(NumSeq:NumSeq IndrCont:Indr) DomSist:DomSist "
    "NUOp:NUOp"
)


def event_of(code: str) -> str:
    """The event of a message: `LPI0001` of `LPI0001R1`."""
    return code[:7]


def namespace_of(code: str) -> str:
    """Namespace of a message's document; a refused one has its own."""
    event = event_of(code)
    system = "GEN" if event.startswith("GEN") else "SPB"
    return f"http://www.bcb.gov.br/{system}/{event}{'E' if code.endswith('E') else ''}.xsd"


def fields_of(code: str) -> tuple[str, ...]:
    """Paths of a message's fields in their order, groups as `Group/field`."""
    line = MESSAGES[event_of(code) if code.endswith("E") else code]
    return tuple(_paths(parse_content(line), ""))


@cache
def schemas() -> Mapping[str, Schema]:
    """Schema of each namespace that is known here."""
    codes: dict[str, list[str]] = {}
    for code in MESSAGES:
        codes.setdefault(namespace_of(code), []).append(code)
    tables = [Table(name, {"DOC": "_Doc"}, _types_of(each)) for name, each in codes.items()]
    tables += [
        Table(namespace_of(f"{event}E"), {"DOC": "_Doc"}, _refused_types(event))
        for event in REFUSABLE
    ]
    return {table.namespace: compile_table(table) for table in tables}


def _types_of(codes: list[str]) -> dict[str, str | Content | Value | Facets]:
    types: dict[str, str | Content | Value | Facets] = dict(_TYPES)
    for code in codes:
        types[f"_{code}Code"] = Facets(values=code)
        types[f"_{code}"] = f"CodMsg:_{code}Code {MESSAGES[code]}"
    choice = " | ".join(f"{code}:_{code}" for code in codes)
    types["_Doc"] = f"BCMSG({_CONTROL}) SISMSG(({choice})) USERMSG?:_UserText"
    return types


def _refused_types(event: str) -> dict[str, str | Content | Value | Facets]:
    """A refused message: every field may be there, as any text, with the code of its error."""
    fields = " ".join(_loosely(parse_content(MESSAGES[event])))
    groups = {
        leaf.name: Content(" ".join(_loosely(leaf.content)), "CodErro:CodErro")
        for leaf in _leaves(parse_content(MESSAGES[event]))
        if leaf.content is not None
    }
    return {
        **_TYPES,
        "_Marked": Value("string", "CodErro:CodErro"),
        **{f"_{name}": content for name, content in groups.items()},
        "_Refused": Content(f"CodMsg:_Marked {fields}", "CodErro:CodErro"),
        "_Doc": f"BCMSG({_CONTROL}) SISMSG({event}:_Refused) USERMSG?:_UserText",
    }


def _loosely(content: Particle) -> list[str]:
    return [
        f"{leaf.name}?:{'_Marked' if leaf.content is None else f'_{leaf.name}'}"
        for leaf in _leaves(content)
    ]


def _leaves(content: Particle) -> list[Leaf]:
    match content:
        case Leaf():
            return [content]
        case Group(parts):
            return [leaf for part in parts for leaf in _leaves(part)]
        case Repeated(part):
            return _leaves(part)
        case _:
            raise ValueError("a message of the SFN has no wildcards")


def _paths(content: Particle, start: str) -> list[str]:
    found = []
    for leaf in _leaves(content):
        if leaf.content is None:
            found.append(start + leaf.name)
        else:
            found += _paths(leaf.content, f"{start}{leaf.name}/")
    return found
