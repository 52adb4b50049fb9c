"""The gateway's language: an Item becomes a signed Request, a Reply becomes a Verdict. The only room that knows it.

Pure: it neither sends nor waits; the time comes in as an argument.
"""

from __future__ import annotations

from fetcher.gateway.api import Api, Family, Form, IdList, Listing
from fetcher.gateway.apis import ALIASES, APIS, find_api
from fetcher.gateway.dialect import Credentials, Gateway
from fetcher.gateway.own_apis import chosen_api, own_apis
from fetcher.gateway.protocols import PROTOCOLS, Protocol
from fetcher.gateway.signing import guide_signature, param2_signature
from fetcher.gateway.top_signing import top_signature
from fetcher.gateway.xml_answers import xml_to_json

__all__ = [
    "ALIASES",
    "APIS",
    "PROTOCOLS",
    "Api",
    "Credentials",
    "Family",
    "Form",
    "Gateway",
    "IdList",
    "Listing",
    "Protocol",
    "chosen_api",
    "find_api",
    "guide_signature",
    "own_apis",
    "param2_signature",
    "top_signature",
    "xml_to_json",
]
