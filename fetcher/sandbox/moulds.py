"""Moulds of answers: JSON texts with gaps, made once by seed and filled in microseconds. Fields and types are those of
the documents; what stands in them is made up.

A gap is written into the mould's values by `gap(name, format)` and becomes a `%(name)format` of the finished bytes.
"""

from __future__ import annotations

import re
from random import Random
from typing import Any, Final

import msgspec
import orjson

from fetcher.sandbox.words import ADJECTIVES, ATTRIBUTES, CATEGORIES, CITIES, COLOURS, SENTENCES, SIZES

_OPEN, _CLOSE, _TEXT = "\ue000", "\ue001", "\ue002"
_BARE: Final = re.compile(f'"{_OPEN}([^{_CLOSE}]+){_CLOSE}"'.encode())
_INSIDE: Final = re.compile(f"{_TEXT}([^{_CLOSE}]+){_CLOSE}".encode())
_SKUS: Final = ((1, 15), (2, 20), (3, 20), (4, 15), (5, 12), (6, 12), (12, 4), (40, 2))
"""How many SKUs, and how common: answers of 3 to 10 KB, and a tail to 30 KB."""


class Mould(msgspec.Struct, frozen=True):
    """A JSON text with gaps for `%`, and the number of SKUs whose gaps it has."""

    text: bytes
    skus: int


def gap(name: str, form: str = "d") -> str:
    """A number to be filled in: the quotes go."""
    return f"{_OPEN}{name}:{form}{_CLOSE}"


def gap_in_text(name: str, form: str = "d") -> str:
    """Something to be filled into a text."""
    return f"{_TEXT}{name}:{form}{_CLOSE}"


def cast(value: dict[str, Any], skus: int) -> Mould:
    """Make the mould."""
    text = orjson.dumps(value).replace(b"%", b"%%")
    for pattern in (_BARE, _INSIDE):
        text = pattern.sub(lambda found: b"%%(%s)%s" % tuple(found[1].split(b":")), text)
    return Mould(text, skus)


def product_mould(random: Random) -> Mould:
    """`productInfo` of `alibaba.product.get` and its relatives."""
    skus = _sku_count(random)
    category, noun = random.choice(CATEGORIES)
    images = [_image(random) for _ in range(random.randint(3, 6))]
    description = _description(random, skus)
    return cast(
        {
            "productID": gap("id"),
            "productType": random.choice(["wholesale", "sourcing"]),
            "categoryID": random.randint(10_000, 200_000_000),
            "categoryName": category,
            "attributes": _attributes(random),
            "groupID": [random.randint(10**7, 10**9) for _ in range(random.randint(0, 3))],
            "status": "published",
            "subject": _subject(random, noun),
            "description": description,
            "language": "CHINESE",
            "periodOfValidity": 3650,
            "bizType": random.randint(1, 5),
            "pictureAuth": random.random() < 0.3,
            "image": {"images": images},
            "skuInfos": [_sku(random, k, images) for k in range(skus)],
            "saleInfo": _sale(random),
            "shippingInfo": _shipping(random),
            "extendInfos": [{"key": "buyerProtection", "value": '["psbj","swtbh"]'}],
            "supplierUserId": str(random.randint(10**9, 10**13)),
            "supplierLoginId": "义乌市晨曦贸易商行",
            "sellerLoginId": "义乌市晨曦贸易商行",
            "qualityLevel": random.randint(0, 7),
            "mainVedio": None,
            "detailVedio": "",
            "productCargoNumber": "HX-" + gap_in_text("tail"),
            "crossBorderOffer": random.random() < 0.5,
            "referencePrice": f"{random.randint(10, 900)}.0",
            "bookedCount": gap_in_text("stock0"),
            **{name: _date(random) for name in ("createTime", "lastUpdateTime", "approvedTime", "expireTime")},
            "sevenDaysRefunds": True,
        },
        skus,
    )


def detail_mould(random: Random) -> Mould:
    """`result.result` of `queryProductDetail`: prices are texts here, image addresses absolute."""
    skus = _sku_count(random)
    _, noun = random.choice(CATEGORIES)
    images = ["https://cbu01.alicdn.com/" + _image(random) for _ in range(random.randint(3, 6))]
    category = random.randint(10_000, 200_000_000)
    return cast(
        {
            "offerId": gap("id"),
            "categoryId": category,
            "categoryName": None,
            "topCategoryId": category // 7,
            "secondCategoryId": category // 3,
            "subject": _subject(random, noun),
            "subjectTrans": "Cross-border new style, direct from the factory, No. " + gap_in_text("tail"),
            "description": _description(random, skus),
            "mainVideo": None,
            "productImage": {"images": images, "whiteImage": images[0]},
            "productAttribute": [
                {
                    "attributeId": str(each["attributeID"]),
                    "attributeName": each["attributeName"],
                    "value": each["value"],
                }
                for each in _attributes(random)
            ],
            "productSkuInfos": [
                {
                    "amountOnSale": gap(f"stock{k}"),
                    "price": gap_in_text(f"price{k}", ".2f"),
                    "skuId": gap(f"sku{k}"),
                    "specId": gap_in_text(f"spec{k}", "032x"),
                    "skuAttributes": [
                        {"attributeId": 3216, "attributeName": "颜色", "value": random.choice(COLOURS)},
                        {"attributeId": 450, "attributeName": "尺码", "value": random.choice(SIZES)},
                    ],
                    "cargoNumber": None,
                }
                for k in range(skus)
            ],
            "productSaleInfo": {
                "amountOnSale": gap("stock0"),
                "priceRangeList": [{"startQuantity": 2, "price": gap_in_text("price0", ".2f")}],
                "quoteType": random.randint(0, 3),
                "unitInfo": {"unit": "件", "transUnit": "piece"},
            },
            "productShippingInfo": {"sendGoodsAddressText": random.choice(CITIES), "weight": gap("weight", ".3f")},
            "isJxhy": False,
            "sellerOpenId": "BBBsandbox",
            "minOrderQuantity": 2,
            "batchNumber": None,
            "status": "published",
            "traceInfo": "object_id@" + gap_in_text("id") + "^object_type@offer",
            "soldOut": gap_in_text("stock0"),
            "tradeScore": "5.0",
            "createDate": "2024-05-24 00:00:00",
            "promotionUrl": "https://detail.1688.com/offer/" + gap_in_text("id") + ".html",
        },
        skus,
    )


def order_mould(random: Random) -> Mould:
    """`result` of `alibaba.trade.get.buyerView`: IDs beyond 2^53, beside their texts."""
    items = random.randint(1, 3)
    return cast(
        {
            "baseInfo": {
                "id": gap("id"),
                "idOfStr": gap_in_text("id"),
                "status": random.choice(["waitbuyerpay", "waitsellersend", "waitbuyerreceive", "success", "cancel"]),
                "createTime": _date(random),
                "payTime": _date(random),
                "totalAmount": gap("price0", ".2f"),
                "shippingFee": 8.00,
                "discount": -150,
                "sellerLoginId": "义乌市晨曦贸易商行",
                "buyerLoginId": "alitestforisv01",
                "remark": "请走圆通；" + random.choice(SENTENCES),
            },
            "productItems": [
                {
                    "productID": random.randint(6 * 10**11, 8 * 10**11),
                    "skuID": gap(f"sku{k}"),
                    "specId": gap_in_text(f"spec{k}", "032x"),
                    "subItemID": gap("id"),
                    "subItemIDString": gap_in_text("id"),
                    "name": _subject(random, random.choice(CATEGORIES)[1]),
                    "price": gap(f"price{k}", ".2f"),
                    "quantity": random.randint(1, 200),
                    "itemAmount": gap(f"price{k}", ".2f"),
                    "productImgUrl": ["http://cbu01.alicdn.com/" + _image(random)],
                    "skuInfos": [{"name": "颜色", "value": random.choice(COLOURS)}],
                    "statusStr": "等待卖家发货",
                }
                for k in range(items)
            ],
            "nativeLogistics": {"address": random.choice(CITIES) + "某某路1号", "zip": "518000", "logisticsItems": []},
            "tradeTerms": [{"payStatus": "2", "phasAmount": gap("price0", ".2f"), "payWayDesc": "支付宝"}],
        },
        items,
    )


def _sku_count(random: Random) -> int:
    counts, weights = zip(*_SKUS, strict=True)
    return int(random.choices(counts, weights)[0])


def _subject(random: Random, noun: str) -> str:
    return "".join(random.sample(ADJECTIVES, 3)) + noun + random.choice(("", "女", "男士", "（儿童款）"))


def _image(random: Random) -> str:
    """Relative, as `product.get` sends them."""
    folder = "/".join(str(random.randint(100, 999)) for _ in range(2))
    name = f"{random.randint(10**9, 10**10)}_{random.randint(10**8, 10**9)}"
    return f"img/ibank/{random.randint(2014, 2026)}/{folder}/{name}.jpg"


def _date(random: Random) -> str:
    return f"{random.randint(2014, 2026)}{random.randint(1, 12):02}{random.randint(1, 28):02}201638000+0800"


def _attributes(random: Random) -> list[dict[str, Any]]:
    chosen = random.sample(ATTRIBUTES, random.randint(7, len(ATTRIBUTES)))
    return [
        {
            "attributeID": random.randint(1, 200_000_000),
            "attributeName": name,
            "valueID": random.choice([random.randint(1, 10**9), random.randint(2**53, 2**62)]),
            "value": random.choice(values),
            "isCustom": random.random() < 0.2,
        }
        for name, values in chosen
    ]


def _description(random: Random, skus: int) -> str:
    """HTML with percent signs, quotes and absolute images; long for products of many SKUs."""
    parts = [f"<p>{random.choice(SENTENCES)}</p>" for _ in range(random.randint(1, 4))]
    parts += [
        f'<img style="width:100%" src="https://cbu01.alicdn.com/{_image(random)}" alt="{gap_in_text("id")}"/>'
        for _ in range(random.randint(2, 8) + (30 if skus >= 40 else 0))
    ]
    return '<div id="offer-template-0"></div>' + "".join(parts) + "<br/>\n"


def _sku(random: Random, k: int, images: list[str]) -> dict[str, Any]:
    return {
        "attributes": [
            {
                "attributeID": 3216,
                "attributeValue": random.choice(COLOURS),
                "skuImageUrl": random.choice(images),
                "attributeDisplayName": "颜色",
                "attributeName": "颜色",
                "attrType": "1",
            },
            {
                "attributeID": 450,
                "attributeValue": random.choice(SIZES),
                "attributeDisplayName": "尺码",
                "attributeName": "尺码",
                "attrType": "2",
            },
        ],
        "cargoNumber": f"HX-{k}",
        "amountOnSale": gap(f"stock{k}"),
        "retailPrice": None,
        "price": gap(f"price{k}", ".2f"),
        "skuCode": "",
        "skuId": gap(f"sku{k}"),
        "specId": gap_in_text(f"spec{k}", "032x"),
        "consignPrice": gap(f"price{k}", ".2f"),
    }


def _sale(random: Random) -> dict[str, Any]:
    return {
        "supportOnlineTrade": True,
        "mixWholeSale": random.random() < 0.5,
        "saleType": "normal",
        "priceAuth": False,
        "priceRanges": [
            {"startQuantity": 3, "price": gap("price0", ".2f")},
            {"startQuantity": 100, "price": gap("price0", ".1f")},
        ],
        "amountOnSale": gap("stock0", ".1f"),
        "unit": "件",
        "minOrderQuantity": random.choice([1, 2, 3, 10]),
        "quoteType": random.randint(0, 3),
        "deliveryLimit": 3,
    }


def _shipping(random: Random) -> dict[str, Any]:
    return {
        "freightTemplateID": random.randint(10**6, 10**7),
        "unitWeight": gap("weight", ".3f"),
        "packageSize": "10x20x50",
        "sendGoodsAddressId": gap("address"),
        "sendGoodsAddressText": random.choice(CITIES),
    }
