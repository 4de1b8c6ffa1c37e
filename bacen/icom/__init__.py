"""ICOM, the transport of SPI messages: client, multipart codec, HTTPS channel.

`IcomClient` posts messages and reads streams; its errors say whether something may have been
stored. Rules: BCB Manual das Interfaces de Comunicação 1.12.
"""

from bacen import IcomError, IcomRefused, IcomUnknown, MultipartInvalid
from bacen.icom.channel import Answer, Channel
from bacen.icom.client import Delivery, IcomClient, Received
from bacen.icom.multipart import Part, build_multipart, is_multipart, parse_multipart

__all__ = [
    "Answer",
    "Channel",
    "Delivery",
    "IcomClient",
    "IcomError",
    "IcomRefused",
    "IcomUnknown",
    "MultipartInvalid",
    "Part",
    "Received",
    "build_multipart",
    "is_multipart",
    "parse_multipart",
]
