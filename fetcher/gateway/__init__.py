"""The gateway's language: an Item becomes a signed Request, a Reply becomes a Verdict. The only room that knows it.

Pure: it neither sends nor waits; the time comes in as an argument.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from fetcher.doors import lazy

if TYPE_CHECKING:
    from fetcher.gateway.api import Api as Api
    from fetcher.gateway.api import Family as Family
    from fetcher.gateway.api import Form as Form
    from fetcher.gateway.api import IdList as IdList
    from fetcher.gateway.api import Listing as Listing
    from fetcher.gateway.apis import ALIASES as ALIASES
    from fetcher.gateway.apis import APIS as APIS
    from fetcher.gateway.apis import find_api as find_api
    from fetcher.gateway.chosen import chosen_api as chosen_api
    from fetcher.gateway.dialect import Credentials as Credentials
    from fetcher.gateway.dialect import Gateway as Gateway
    from fetcher.gateway.own_tables import own_apis as own_apis
    from fetcher.gateway.protocols import PROTOCOLS as PROTOCOLS
    from fetcher.gateway.protocols import Protocol as Protocol
    from fetcher.gateway.signing import guide_signature as guide_signature
    from fetcher.gateway.signing import param2_signature as param2_signature
    from fetcher.gateway.times import time_in_answer as time_in_answer
    from fetcher.gateway.times import time_in_header as time_in_header
    from fetcher.gateway.tokens import Grant as Grant
    from fetcher.gateway.tokens import Refusal as Refusal
    from fetcher.gateway.tokens import TokenCalls as TokenCalls
    from fetcher.gateway.tokens import code_in as code_in
    from fetcher.gateway.tokens import may_postpone as may_postpone
    from fetcher.gateway.tokens import renew_after_s as renew_after_s
    from fetcher.gateway.top_signing import top_signature as top_signature
    from fetcher.gateway.xml_answers import xml_to_json as xml_to_json

_FILES: Final = {
    "ALIASES": "apis",
    "APIS": "apis",
    "Api": "api",
    "Credentials": "dialect",
    "Family": "api",
    "Form": "api",
    "Gateway": "dialect",
    "Grant": "tokens",
    "IdList": "api",
    "Listing": "api",
    "PROTOCOLS": "protocols",
    "Protocol": "protocols",
    "Refusal": "tokens",
    "TokenCalls": "tokens",
    "chosen_api": "chosen",
    "code_in": "tokens",
    "find_api": "apis",
    "guide_signature": "signing",
    "may_postpone": "tokens",
    "own_apis": "own_tables",
    "param2_signature": "signing",
    "renew_after_s": "tokens",
    "time_in_answer": "times",
    "time_in_header": "times",
    "top_signature": "top_signing",
    "xml_to_json": "xml_answers",
}

__all__ = [*_FILES]
__getattr__ = lazy(__name__, _FILES)
