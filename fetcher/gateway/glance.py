"""The quick look: is this plainly the answer that was asked for? Yes is certain; no means that `envelopes` must look.

The decoder checks the grammar of the whole document and builds only the envelope (1–7 µs for 4 KB). The types below
admit clean answers and nothing else, so that any word about an error, and any unusual form, ends the quick look.
It must not know what errors mean.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, TypeAlias

import msgspec

from fetcher.gateway.apis import Shape
from fetcher.gateway.depth import is_too_deep

Nothing: TypeAlias = Literal[""] | None
Success: TypeAlias = bool | Literal["true", "True", "1", 1] | None
Id: TypeAlias = int | str | None


class Level(msgspec.Struct, gc=False):
    """Where errors would be told."""

    success: Success = None
    error_response: Nothing = None
    error_code: Nothing = None
    error_message: Nothing = None
    exception: Nothing = None
    error: Nothing = None
    errorCode: Nothing = None
    errorMessage: Nothing = None
    errorMsg: Nothing = None
    extErrorMessage: Nothing = None
    errMsg: Nothing = None


class _Named(msgspec.Struct, gc=False):
    """A product, by its ID."""

    productID: Id = None
    productId: Id = None
    offerId: Id = None


class _Product(Level, gc=False):
    productInfo: _Named | None = None
    result: None = None


class _DetailResult(Level, gc=False):
    result: _Named | None = None


class _Detail(Level, gc=False):
    result: _DetailResult | None = None


class _OrderBase(msgspec.Struct, gc=False):
    idOfStr: Id = None
    id: Id = None


class _Trade(msgspec.Struct, gc=False):
    baseInfo: _OrderBase | None = None


class _Order(Level, gc=False):
    result: _Trade | None = None


class _Any(Level, gc=False):
    result: Level | list[msgspec.Raw] | str | int | float | bool | None = None


def _first(*ids: Id) -> Id:
    return next((each for each in ids if each is not None), None)


def _product_id(answer: Any) -> Id:
    info: _Named | None = answer.productInfo
    return None if info is None else _first(info.productID, info.productId, info.offerId)


def _detail_id(answer: Any) -> Id:
    result: _DetailResult | None = answer.result
    if result is None or result.success is False or result.result is None:
        return None
    info = result.result
    return _first(info.offerId, info.productId, info.productID)


def _order_id(answer: Any) -> Id:
    trade: _Trade | None = answer.result
    return None if trade is None or trade.baseInfo is None else _first(trade.baseInfo.idOfStr, trade.baseInfo.id)


_BY_SHAPE: Final[dict[Shape, tuple[type[Level], Callable[[Any], Id] | None]]] = {
    Shape.PRODUCT: (_Product, _product_id),
    Shape.DETAIL: (_Detail, _detail_id),
    Shape.ORDER: (_Order, _order_id),
    Shape.ANY: (_Any, None),
}
"""Shape → type of a clean answer, and where it says its ID, in the order of `envelopes.IDS`."""


class Glance:
    """The quick look at the answers of APIs of one shape."""

    __slots__ = ("_decode", "_id")

    def __init__(self, shape: Shape) -> None:
        clean, self._id = _BY_SHAPE[shape]
        self._decode = msgspec.json.Decoder(clean).decode

    def is_clean(self, body: bytes, asked: str) -> bool:
        """Whether `body` is valid JSON in UTF-8 that tells of no error and names the ID that was asked for."""
        try:
            answer: Any = self._decode(body)
            # The decoder does not check UTF-8 in what it skips.
            if not body.isascii():
                body.decode()
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return False
        if answer.success is False or is_too_deep(body):
            return False
        if self._id is None:
            return not (isinstance(answer.result, Level) and answer.result.success is False)
        return str(self._id(answer)) == asked
