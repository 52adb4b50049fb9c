"""The commented `fetcher.toml`."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from fetcher.settings import FIELDS, CommandSettings, field_named, load, template


def uncommented() -> str:
    """The template with every setting switched on."""
    return re.sub(r"^#(?! |$)", "", template(), flags=re.MULTILINE)


def test_as_it_is_it_says_nothing() -> None:
    """Every line is a comment."""
    assert tomllib.loads(template()) == {}


def test_it_has_every_key_once_and_no_other() -> None:
    """It is the table: what a file may say, and what it may not."""
    assert sorted(tomllib.loads(uncommented())) == sorted(row.key for row in FIELDS if row.key)


def test_uncommented_it_is_the_defaults(tmp_path: Path) -> None:
    """What the template shows as default is what happens without it."""
    (tmp_path / "fetcher.toml").write_text(uncommented(), encoding="utf-8")
    loaded = load(environ={}, folder=tmp_path)
    assert loaded.settings == CommandSettings()
    assert set(loaded.origins) == {row.name for row in FIELDS if row.key}


def test_every_key_is_explained() -> None:
    """The table's phrase stands above each key, and the words that it may be."""
    text = template()
    for row in FIELDS:
        if row.key:
            above = text.partition(f"\n#{row.key} = ")[0].rpartition("\n\n")[2]
            assert row.help[1:].split(";")[0] in above.replace("\n# ", " ")
    assert "(transient, all, none)" in text


def test_values_are_written_as_toml() -> None:
    """Whatever a setting is, what `toml` writes is read back as the same."""
    values = {"params": (("a b", 'quo"te'),), "qps": 0.25, "max_body_bytes": 2**31, "overwrite": True, "api": "x\\y"}
    for name, value in values.items():
        kind = field_named(name).kind
        assert kind.accept(tomllib.loads(f"key = {kind.toml(value)}")["key"]) == value
