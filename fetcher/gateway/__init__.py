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
from fetcher.gateway.times import time_in_answer, time_in_header
from fetcher.gateway.tokens import Grant, Refusal, TokenCalls, code_in, may_postpone, renew_after_s
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
    "Grant",
    "IdList",
    "Listing",
    "Protocol",
    "Refusal",
    "TokenCalls",
    "chosen_api",
    "code_in",
    "find_api",
    "guide_signature",
    "may_postpone",
    "own_apis",
    "param2_signature",
    "renew_after_s",
    "time_in_answer",
    "time_in_header",
    "top_signature",
    "xml_to_json",
]
