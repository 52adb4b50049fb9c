"""The mould of an item as the sister family shows it: lists wrapped in their element's name, prices as texts."""

from __future__ import annotations

from random import Random

from fetcher.sandbox.moulds import Mould, cast, gap, gap_in_text
from fetcher.sandbox.words import CATEGORIES, COLOURS, SIZES


def item_mould(random: Random) -> Mould:
    """`item` of `taobao.item.seller.get`."""
    category, noun = random.choice(CATEGORIES)
    skus = random.randint(1, 6)
    return cast(
        {
            "num_iid": gap("id"),
            "title": f"{noun} {category} " + gap_in_text("tail"),
            "nick": "sandbox",
            "type": "fixed",
            "cid": random.randint(10_000, 200_000_000),
            "num": gap("stock0"),
            "price": gap_in_text("price0", ".2f"),
            "approve_status": "onsale",
            "outer_id": "HX-" + gap_in_text("tail"),
            "skus": {
                "sku": [
                    {
                        "sku_id": gap(f"sku{k}"),
                        "quantity": gap(f"stock{k}"),
                        "price": gap_in_text(f"price{k}", ".2f"),
                        "properties_name": f"1627207:颜色:{random.choice(COLOURS)};20509:尺码:{random.choice(SIZES)}",
                    }
                    for k in range(skus)
                ]
            },
            "modified": "2026-11-01 20:16:38",
        },
        skus,
    )
