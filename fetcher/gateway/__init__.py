"""The gateway's language: calls, signatures, answers. It sends nothing, knows no clock and touches no file."""

from fetcher.gateway.apis import APIS, Api, Envelope, find_api
from fetcher.gateway.dialect import Credentials, Gateway, Manner
from fetcher.gateway.protocols import PROTOCOLS
from fetcher.gateway.signing import guide_signature, param2_signature, params_only_signature
from fetcher.gateway.xml_answers import xml_to_json

__all__ = [
    "APIS",
    "PROTOCOLS",
    "Api",
    "Credentials",
    "Envelope",
    "Gateway",
    "Manner",
    "find_api",
    "guide_signature",
    "param2_signature",
    "params_only_signature",
    "xml_to_json",
]
