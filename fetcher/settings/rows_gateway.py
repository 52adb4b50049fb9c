"""Rows of the table: which API of which gateway, and with whose credentials."""

from __future__ import annotations

from typing import Any

from fetcher.secret import Secret
from fetcher.settings.compound import Parameters, Tables
from fetcher.settings.groups import CREDENTIALS, GATEWAY
from fetcher.settings.key_tables import KeyTable, KeyTables
from fetcher.settings.kinds import AppKey, Choice, Flag, Number, PathText, SecretText, Text, Upper
from fetcher.settings.table import Converted, rows, setting
from fetcher.settings.urls import GatewayUrl


@rows
class GatewayRows:
    """A part of `Settings`."""

    api: str = setting(
        "product", (GATEWAY, "a preset (product, order-buyer, ...) or namespace/name/version", Text("NAME"))
    )
    id_param: str | None = setting(None, (GATEWAY, "parameter of the API that takes the ID", Text("NAME")))
    params: Converted[tuple[tuple[str, str], ...], Any] = setting(
        (),
        (GATEWAY, "extra parameter of the API, such as scene=1; repeatable", Parameters()),
        flag="--param",
        env=False,
    )
    apis: Converted[tuple[tuple[str, dict[str, Any]], ...], Any] = setting(
        (),
        (GATEWAY, "APIs of your own, a table [apis.NAME] each, keys in docs/apis.md", Tables()),
        flag=False,
        env=False,
    )
    batch: int | None = setting(
        None,
        (
            GATEWAY,
            "IDs in one call, of APIs that take many; auto: as many as the API usually takes",
            Number(least=1, most=500, whole=True, none_word="auto"),
        ),
    )
    protocol: str = setting("param2", (GATEWAY, "how requests are signed", Choice("param2", "guide", "top")))
    sign_method: str | None = setting(
        None, (GATEWAY, "of the TOP family; unset: md5", Choice("md5", "hmac", "hmac-sha256"))
    )
    answer_format: str = setting(
        "json",
        (GATEWAY, "what is asked for; whatever comes is stored as JSON", Choice("json", "xml")),
        flag="--format",
        key="format",
    )
    method: str | None = setting(None, (GATEWAY, "unset: POST for param2 and top, GET for guide", Upper("GET", "POST")))
    timestamp: bool = setting(False, (GATEWAY, "send the time with param2 requests", Flag()))
    gateway: str = setting("https://gw.open.1688.com/openapi", (GATEWAY, "base URL", GatewayUrl()))
    allow_http: bool = setting(False, (GATEWAY, "let plain http go to other hosts than this one", Flag()))

    app_key: str | None = setting(None, (CREDENTIALS, "key of your app", AppKey("KEY")))
    app_secret: Converted[Secret | None, Secret | str | None] = setting(
        None, (CREDENTIALS, "secret of your app", SecretText()), flag=False
    )
    access_token: Converted[Secret | None, Secret | str | None] = setting(
        None,
        (CREDENTIALS, "token of the user who authorised your app, where the API needs one", SecretText()),
        flag=False,
    )
    refresh_token: Converted[Secret | None, Secret | str | None] = setting(
        None, (CREDENTIALS, "renews the access token when it has run out", SecretText()), flag=False
    )
    token_file: str | None = setting(
        None,
        (CREDENTIALS, "where tokens are kept, renewed by whoever needs one first; yours alone (0600)", PathText()),
    )
    keys: Converted[tuple[KeyTable, ...], Any] = setting(
        (),
        (CREDENTIALS, "several keys, a table [[keys]] each: name, app_key, app_secret, qps, tokens", KeyTables()),
        flag=False,
        env=False,
        show=False,
    )
