"""XML to JSON by the documented rule."""

from __future__ import annotations

import json

import pytest

from fetcher.gateway import xml_to_json

RULE = [
    ("a leaf is text", "<r><a>007</a></r>", {"a": "007"}),
    ("an empty leaf is an empty text", "<r><a/></r>", {"a": ""}),
    ("repeated children are a list", "<r><a>1</a><b>2</b><a>3</a></r>", {"a": ["1", "3"], "b": "2"}),
    ("list and item are lists", "<r><skus><item><x>1</x></item></skus></r>", {"skus": [{"x": "1"}]}),
    ("attributes and text", '<r><a k="v">t</a></r>', {"a": {"@k": "v", "#text": "t"}}),
    ("CDATA is text", "<r><a><![CDATA[<b>&]]></a></r>", {"a": "<b>&"}),
    ("entities of XML itself", "<r><a>&lt;&#20013;</a></r>", {"a": "<中"}),
]


@pytest.mark.parametrize(("sentence", "document", "value"), RULE, ids=[row[0] for row in RULE])
def test_the_rule(sentence: str, document: str, value: object) -> None:
    """The table."""
    assert json.loads(xml_to_json(document.encode())) == value


def test_the_declared_charset() -> None:
    """GBK by the document's declaration; the Content-Type wins over it."""
    text = '<?xml version="1.0" encoding="GBK"?><r><a>连衣裙</a></r>'
    assert json.loads(xml_to_json(text.encode("gb18030"))) == {"a": "连衣裙"}
    assert json.loads(xml_to_json(text.encode(), "utf-8")) == {"a": "连衣裙"}


@pytest.mark.parametrize(
    "document",
    [
        "<!DOCTYPE r [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><r>&b;</r>",
        "<!DOCTYPE r SYSTEM 'file:///etc/passwd'><r/>",
        "<a>" * 300 + "</a>" * 300,
        "<r><a></r>",
        "no xml",
        "<r>&undefined;</r>",
    ],
)
def test_what_could_do_harm_is_refused(document: str) -> None:
    """Bombs, foreign files, abysses and broken documents."""
    with pytest.raises(ValueError, match=r"\w"):
        xml_to_json(document.encode())
