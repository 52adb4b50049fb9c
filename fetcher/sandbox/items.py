"""The moulds of an item and of a trade as the sister family shows them.

Lists are wrapped in their element's name, prices are texts.
"""

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


def trade_mould(random: Random) -> Mould:
    """`trade` of `taobao.trade.fullinfo.get`. Its buyer is nobody."""
    category, noun = random.choice(CATEGORIES)
    orders = random.randint(1, 3)
    return cast(
        {
            "tid": gap("id"),
            "tid_str": gap_in_text("id"),
            "seller_nick": "sandbox",
            "buyer_nick": "s**x",
            "status": random.choice(("WAIT_SELLER_SEND_GOODS", "WAIT_BUYER_CONFIRM_GOODS", "TRADE_FINISHED")),
            "payment": gap_in_text("price0", ".2f"),
            "post_fee": "0.00",
            "created": "2026-10-31 09:12:07",
            "modified": "2026-11-01 20:16:38",
            "orders": {
                "order": [
                    {
                        "oid": gap(f"sku{k}"),
                        "title": f"{noun} {category} " + gap_in_text("tail"),
                        "num": random.randint(1, 9),
                        "price": gap_in_text(f"price{k}", ".2f"),
                        "sku_properties_name": f"颜色:{random.choice(COLOURS)};尺码:{random.choice(SIZES)}",
                    }
                    for k in range(orders)
                ]
            },
        },
        orders,
    )
