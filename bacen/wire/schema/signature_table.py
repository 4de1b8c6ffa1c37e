"""XML Signature (W3C, 2002) as a table: what `Sgntr` may hold."""

from typing import Final

from bacen.wire.profile import DS
from bacen.wire.schema.schema import Content, Table, Value
from bacen.wire.schema.simple import Facets

_ALGORITHM = "Algorithm!:anyURI"

SIGNATURE: Final = Table(
    DS,
    {
        "Signature": "SignatureType",
        "SignatureValue": "SignatureValueType",
        "SignedInfo": "SignedInfoType",
        "CanonicalizationMethod": "CanonicalizationMethodType",
        "SignatureMethod": "SignatureMethodType",
        "Reference": "ReferenceType",
        "Transforms": "TransformsType",
        "Transform": "TransformType",
        "DigestMethod": "DigestMethodType",
        "DigestValue": "DigestValueType",
        "KeyInfo": "KeyInfoType",
        "KeyName": "string",
        "MgmtData": "string",
        "KeyValue": "KeyValueType",
        "RetrievalMethod": "RetrievalMethodType",
        "X509Data": "X509DataType",
        "PGPData": "PGPDataType",
        "SPKIData": "SPKIDataType",
        "Object": "ObjectType",
        "Manifest": "ManifestType",
        "SignatureProperties": "SignaturePropertiesType",
        "SignatureProperty": "SignaturePropertyType",
        "DSAKeyValue": "DSAKeyValueType",
        "RSAKeyValue": "RSAKeyValueType",
    },
    {
        "CryptoBinary": Facets("base64Binary"),
        "DigestValueType": Facets("base64Binary"),
        "HMACOutputLengthType": Facets("integer"),
        "SignatureType": Content("SignedInfo SignatureValue KeyInfo? Object*", "Id:ID"),
        "SignatureValueType": Value("base64Binary", "Id:ID"),
        "SignedInfoType": Content("CanonicalizationMethod SignatureMethod Reference+", "Id:ID"),
        "CanonicalizationMethodType": Content("#any*", _ALGORITHM, is_mixed=True),
        "SignatureMethodType": Content(
            "HMACOutputLength?:HMACOutputLengthType #other*", _ALGORITHM, is_mixed=True
        ),
        "ReferenceType": Content(
            "Transforms? DigestMethod DigestValue", "Id:ID URI:anyURI Type:anyURI"
        ),
        "TransformsType": "Transform+",
        "TransformType": Content("(#other~ | XPath:string)*", _ALGORITHM, is_mixed=True),
        "DigestMethodType": Content("#other~*", _ALGORITHM, is_mixed=True),
        "KeyInfoType": Content(
            "(KeyName | KeyValue | RetrievalMethod | X509Data | PGPData | SPKIData | MgmtData"
            " | #other~)+",
            "Id:ID",
            is_mixed=True,
        ),
        "KeyValueType": Content("(DSAKeyValue | RSAKeyValue | #other~)", is_mixed=True),
        "RetrievalMethodType": Content("Transforms?", "URI:anyURI Type:anyURI"),
        "X509DataType": (
            "(X509IssuerSerial:X509IssuerSerialType | X509SKI:base64Binary"
            " | X509SubjectName:string | X509Certificate:base64Binary | X509CRL:base64Binary"
            " | #other~)+"
        ),
        "X509IssuerSerialType": "X509IssuerName:string X509SerialNumber:integer",
        "PGPDataType": (
            "((PGPKeyID:base64Binary PGPKeyPacket?:base64Binary #other~*)"
            " | (PGPKeyPacket:base64Binary #other~*))"
        ),
        "SPKIDataType": "(SPKISexp:base64Binary #other~?)+",
        "ObjectType": Content("#any~*", "Id:ID MimeType:string Encoding:anyURI", is_mixed=True),
        "ManifestType": Content("Reference+", "Id:ID"),
        "SignaturePropertiesType": Content("SignatureProperty+", "Id:ID"),
        "SignaturePropertyType": Content("#other~+", "Target!:anyURI Id:ID", is_mixed=True),
        "DSAKeyValueType": (
            "(P:CryptoBinary Q:CryptoBinary)? G?:CryptoBinary Y:CryptoBinary J?:CryptoBinary"
            " (Seed:CryptoBinary PgenCounter:CryptoBinary)?"
        ),
        "RSAKeyValueType": "Modulus:CryptoBinary Exponent:CryptoBinary",
    },
)
