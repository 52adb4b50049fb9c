"""The user's own APIs: tables `[apis.NAME]` of `fetcher.toml` become presets, checked.

It must not know files; the tables come in as the settings have read them. `docs/apis.md` has the keys for users.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, structs

from fetcher.errors import UsageError
from fetcher.gateway.api import Api, Form, IdList, Listing, Path
from fetcher.gateway.apis import APIS, by_full_name, is_parameter
from fetcher.settings import did_you_mean

_Count = Annotated[int, Meta(ge=1, le=500)]


class OwnApi(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"list_": "list"}):
    """One table, as it is written. What is not said is as `like` has it, or as an API of which nothing is known."""

    like: str = ""
    """A preset to start from."""
    api: str = ""
    """`namespace/name/version`, or the dotted name of an API of the TOP family."""
    id_param: str | None = None
    params: dict[str, str | int | bool] | None = None
    id_field: str | None = None
    numeric_ids: bool | None = None
    needs_token: bool | None = None
    method: Literal["GET", "POST"] | None = None
    answer: str | list[str] | None = None
    """Where the thing stands, dotted; several: the first that is there."""
    answer_id: str | list[str] | None = None
    """Where in it, or in an element of the list, its ID stands."""
    list_: str | list[str] | None = None
    """Where the list stands, of an API that takes many IDs."""
    batch: _Count | None = None
    most: _Count | None = None
    id_list: Literal["json", "comma"] | None = None
    wrap: str | None = None
    absent_codes: list[str] | None = None
    keep: list[str] | None = None
    price: Annotated[float, Meta(gt=0)] | None = None
    about: str | None = None


KEYS: Final = tuple(field.encode_name for field in structs.fields(OwnApi))
_UNKNOWN: Final = re.compile(r"unknown field `([^`]*)`")
_PLACE: Final = re.compile(r" - at `\$\.?([^`]*)`")


def own_apis(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, Api]:
    """The user's presets by name.

    Raises:
        UsageError: says which table and key, and what it must be.
    """
    return {name: _own_api(name, table) for name, table in tables.items()}


def _own_api(name: str, table: Mapping[str, Any]) -> Api:
    if not name.strip() or not name.isprintable() or by_full_name(name) is not None:
        raise UsageError(f"apis.{name!a}: a name of your own has no '/', ':' or '.'", "For example: [apis.my-product]")
    try:
        own = msgspec.convert(table, OwnApi)
    except msgspec.ValidationError as error:
        raise _wrong(name, *_explained(str(error))) from None
    base = _base(name, own)
    found = structs.replace(
        base,
        **_given(own, "id_field", "numeric_ids", "needs_token", "method", "price", "about"),
        name=name,
        id_parameter=own.id_param or base.id_parameter,
        tutorial_id_parameter=base.tutorial_id_parameter and (own.id_param or base.tutorial_id_parameter),
        fixed=base.fixed if own.params is None else tuple((key, _text(value)) for key, value in own.params.items()),
        form=Form(_paths(own.answer, base.form.things), _paths(own.answer_id, base.form.ids)),
        absent_codes=base.absent_codes
        if own.absent_codes is None
        else tuple(code.lower() for code in own.absent_codes),
        keep=_paths(own.keep, base.keep),
        listing=_listing(name, own, base),
    )
    return _checked(found, own)


def _base(name: str, own: OwnApi) -> Api:
    """What the table starts from."""
    if own.like and own.like not in APIS:
        raise _wrong(name, "like", f"must be a preset, not {own.like!r}{did_you_mean(own.like, APIS)}")
    given = by_full_name(own.api)
    if own.api and given is None:
        raise _wrong(name, "api", "must be namespace/name/version, such as com.alibaba.product/alibaba.product.get/1")
    like = APIS.get(own.like)
    if given is None:
        if like is None:
            raise _wrong(name, "api", "is missing: namespace/name/version, or `like` and the name of a preset")
        return like
    if like is None:
        return structs.replace(given, numeric_ids=True)
    path = {"namespace": given.namespace, "api_name": given.api_name, "version": given.version}
    return structs.replace(like, **path, family=given.family, tutorial_id_parameter="")


def _listing(name: str, own: OwnApi, base: Api) -> Listing | None:
    """How many IDs it takes."""
    if own.list_ is None and base.listing is None:
        for key in ("batch", "most", "id_list", "wrap"):
            if getattr(own, key) is not None:
                raise _wrong(name, key, "is for an API that takes many IDs: say where its `list` stands, too")
        return None
    start = base.listing or Listing(20, 20, (), ())
    usual = own.batch or (min(start.usual, own.most) if own.most else start.usual)
    found = structs.replace(
        start,
        usual=usual,
        most=own.most or max(usual, start.most),
        lists=_paths(own.list_, start.lists),
        ids=_paths(own.answer_id, start.ids),
        **({} if own.wrap is None else {"wrap": own.wrap}),
        **({} if own.id_list is None else {"form": IdList[own.id_list.upper()]}),
    )
    if found.usual > found.most:
        raise _wrong(name, "batch", f"must not be over `most`, {found.most}")
    if not all(path and all(path) for path in (found.lists or ((),))):
        raise _wrong(name, "list", "must say where the list stands: a name, or names with dots between")
    if not found.ids:
        raise _wrong(name, "answer_id", "is missing: where an element of the list says its ID")
    return found


def _checked(api: Api, own: OwnApi) -> Api:
    """Raises UsageError where values do not go together."""
    if not is_parameter(api.id_parameter):
        raise _wrong(api.name, "id_param", "must be the name of the parameter that takes the ID")
    if own.answer_id is not None and not api.form.things and api.listing is None:
        raise _wrong(api.name, "answer_id", "needs `answer`: where the thing stands that has this ID")
    return structs.replace(api, form=Form()) if api.listing is not None else api


def _given(own: OwnApi, *names: str) -> dict[str, Any]:
    return {name: value for name in names if (value := getattr(own, name)) is not None}


def _paths(given: str | Sequence[str] | None, otherwise: tuple[Path, ...]) -> tuple[Path, ...]:
    if given is None:
        return otherwise
    texts = [given] if isinstance(given, str) else given
    return tuple(tuple(text.split(".")) for text in texts if text)


def _text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _wrong(name: str, key: str, why: str) -> UsageError:
    place = f"apis.{name}.{key}" if key else f"apis.{name}"
    return UsageError(f"{place} {why}", "docs/apis.md has every key, with examples.")


def _explained(message: str) -> tuple[str, str]:
    """What the library says of a wrong value: key, and a sentence's end."""
    unknown = _UNKNOWN.search(message)
    if unknown is not None:
        return unknown[1], f"is not a key{did_you_mean(unknown[1], KEYS)}"
    place = _PLACE.search(message)
    return place[1] if place else "", f"is wrong: {_PLACE.sub('', message).replace('`', '')}".lower()
