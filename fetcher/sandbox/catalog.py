"""Every product and order there is: made from the seed and the ID alone, so that nothing is stored and each answer is
the same every time. Filling a mould takes some 10 µs.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from fetcher.sandbox.dice import roll, share
from fetcher.sandbox.items import item_mould, trade_mould
from fetcher.sandbox.moulds import Mould, detail_mould, order_mould, product_mould

MOULDS: Final = 128
"""Of each kind; an ID's dice choose one."""

_EXISTS, _LOOKS, _EXAMPLE = 0, 1, 9
_KINDS: Final[dict[str, Callable[[Random], Mould]]] = {
    "product": product_mould,
    "detail": detail_mould,
    "order": order_mould,
    "item": item_mould,
    "trade": trade_mould,
}
_SKU_GAPS: Final = [tuple(f"{name}{k}".encode() for name in ("sku", "stock", "price", "spec")) for k in range(40)]
_SKU_BASE: Final = 4 * 10**12
_ADDRESS_BASE: Final = 2**60


class Catalog:
    """What exists and what it looks like."""

    def __init__(self, seed: int = 0, absent: float = 0.02) -> None:
        self._seed = seed
        self._absent = absent
        self._moulds: dict[tuple[str, int], Mould] = {}

    def has(self, id_number: int) -> bool:
        """Whether there is such a product or order."""
        return share(self._seed, _EXISTS, id_number) >= self._absent

    def product(self, id_number: int) -> bytes:
        """A `productInfo`, as JSON."""
        return self._fill("product", id_number)

    def detail(self, id_number: int) -> bytes:
        """A `result.result` of `queryProductDetail`, as JSON."""
        return self._fill("detail", id_number)

    def order(self, id_number: int) -> bytes:
        """An order's `result`, as JSON."""
        return self._fill("order", id_number)

    def of_top(self, kind: str, id_number: int) -> bytes:
        """A sister family's `item` or `trade`, as JSON."""
        return self._fill(kind, id_number)

    def _fill(self, kind: str, id_number: int) -> bytes:
        looks = roll(self._seed, _LOOKS, id_number)
        mould = self._mould(kind, looks % MOULDS)
        values: dict[bytes, int | float] = {
            b"id": id_number,
            b"tail": id_number % 100_000,
            b"weight": (looks >> 9) % 20_000 / 1000,
            b"address": _ADDRESS_BASE + (looks >> 5),
        }
        sku = _SKU_BASE + (looks >> 12) % (9 * 10**11)
        stock = (looks >> 3) % 90_000
        cents = (looks >> 23) % 90_000 + 100
        spec = looks << 63
        for k in range(mould.skus):
            sku_gap, stock_gap, price_gap, spec_gap = _SKU_GAPS[k]
            values[sku_gap] = sku + k
            values[stock_gap] = stock + 37 * k
            values[price_gap] = (cents + 10 * k) / 100
            values[spec_gap] = spec + looks * (k + 1)
        return mould.text % values

    def _mould(self, kind: str, index: int) -> Mould:
        mould = self._moulds.get((kind, index))
        if mould is None:
            mould = _KINDS[kind](Random(f"{self._seed} {kind} {index}"))
            self._moulds[kind, index] = mould
        return mould


def example_ids(n: int = 200) -> list[str]:
    """The first `n` example IDs: different 12-digit numbers, always the same. With the usual seed about 2 % of them do
    not exist."""
    ids: dict[str, None] = {}
    k = 0
    while len(ids) < n:
        ids[str(610_000_000_000 + roll(0, _EXAMPLE, k) % 190_000_000_000)] = None
        k += 1
    return list(ids)
