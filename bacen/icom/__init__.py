"""ICOM, the transport of SPI messages: both channels of a participant, their limits and streams.

`Icom` posts messages until they are stored and makes readers of streams; `IcomClient` is one
channel without memory, `Channel` the HTTPS below it. Errors say whether something may have been
stored. Rules: BCB Manual das Interfaces de Comunicação 1.12.
"""

from bacen import CatalogueMismatch, IcomError, IcomRefused, IcomUnknown, MultipartInvalid
from bacen.icom.catalogue import check_catalogue, parse_catalogue
from bacen.icom.channel import Answer, Channel
from bacen.icom.client import Delivery, IcomClient, Received
from bacen.icom.multipart import Part, build_multipart, is_multipart, parse_multipart
from bacen.icom.postage import ChannelName, channel_of, cost_milli, kind_of
from bacen.icom.rates import PRIMARY_PER_SECOND, ChannelBucket, ChannelRates, rates_of
from bacen.icom.reader import StreamReader
from bacen.icom.sent import MessageRejected, Outcome, SentMessages
from bacen.icom.transport import Icom, IcomAddress

__all__ = [
    "PRIMARY_PER_SECOND",
    "Answer",
    "CatalogueMismatch",
    "Channel",
    "ChannelBucket",
    "ChannelName",
    "ChannelRates",
    "Delivery",
    "Icom",
    "IcomAddress",
    "IcomClient",
    "IcomError",
    "IcomRefused",
    "IcomUnknown",
    "MessageRejected",
    "MultipartInvalid",
    "Outcome",
    "Part",
    "Received",
    "SentMessages",
    "StreamReader",
    "build_multipart",
    "channel_of",
    "check_catalogue",
    "cost_milli",
    "is_multipart",
    "kind_of",
    "parse_catalogue",
    "parse_multipart",
    "rates_of",
]
