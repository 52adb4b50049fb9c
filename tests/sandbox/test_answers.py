"""How answers are written."""

from __future__ import annotations

from xml.etree import ElementTree

from fetcher.sandbox.answers import as_xml, time_text


def test_xml_has_every_value() -> None:
    """Keys become elements, lists items; digits stay as they were; null is left out."""
    body = b'{"a":{"b":[1,2.50,"<&>"],"empty":null,"t":true,"big":58218860983545941,"none":[]}}'
    root = ElementTree.fromstring(as_xml(body))
    inner = root.find("a")
    assert root.tag == "response" and inner is not None
    assert [item.text for item in inner.findall("b/item")] == ["1", "2.50", "<&>"]
    assert {child.tag: child.text for child in inner if child.tag != "b"} == {
        "t": "true",
        "big": "58218860983545941",
        "none": None,
    }


def test_a_bare_value_is_the_whole_xml() -> None:
    """As `currentTime` answers."""
    assert ElementTree.fromstring(as_xml(b'"x"')).text == "x"


def test_time_is_chinas() -> None:
    """With milliseconds, across a year's end."""
    assert time_text(0) == "19700101080000000+0800"
    assert time_text(1_798_732_799_999) == "20261231235959999+0800"
