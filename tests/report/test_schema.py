"""The published JSON Schemas are those of the code, and what they describe is there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from fetcher.metrics import Snapshot
from fetcher.report import Finished, summary_document
from fetcher.report.schema import progress_schema, summary_schema

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(("name", "made"), [("summary", summary_schema), ("progress", progress_schema)])
def test_the_published_schema_is_up_to_date(name: str, made: Any) -> None:
    """Made anew by `python -m fetcher.report.schema docs` when the types change."""
    published = json.loads((DOCS / f"{name}.schema.json").read_text(encoding="utf-8"))
    assert published == made()
    jsonschema.Draft202012Validator.check_schema(published)


def test_the_barest_summary_is_valid() -> None:
    """A run of which nothing is known; and a summary that lacks a key is not."""
    schema = summary_schema()
    document = summary_document(
        Finished(exit_code=0, reason="", started_wall_ms=0, ended_wall_ms=0, snapshot=Snapshot())
    )
    jsonschema.validate(document, schema)
    with pytest.raises(jsonschema.ValidationError, match="'ids' is a required property"):
        jsonschema.validate({key: value for key, value in document.items() if key != "ids"}, schema)


def test_units_and_meanings_are_told() -> None:
    """What stands under a field in the code stands in the schema."""
    definitions = summary_schema()["$defs"]
    assert definitions["Calls"]["properties"]["paused_s"]["description"].startswith("Seconds of pauses")
    assert "in" in definitions["Bytes"]["properties"]
