"""JSON Schemas of what machines read: made from the types and from the words under their fields.

For who publishes the schemas; a run has no need of it.
"""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from fetcher.report.document import Summary
from fetcher.report.json_progress import ProgressLine


def summary_schema() -> dict[str, Any]:
    """Of `--summary`."""
    return _schema(Summary, "fetcher summary")


def progress_schema() -> dict[str, Any]:
    """Of a line of `--progress json`."""
    return _schema(ProgressLine, "fetcher progress line")


def _schema(document: type[msgspec.Struct], title: str) -> dict[str, Any]:
    [top], components = msgspec.json.schema_components([document], ref_template="#/$defs/{name}")
    for name, text in _field_docs(document):
        owner = components.get(name[0])
        if owner is not None and name[1] in owner["properties"]:
            owner["properties"][name[1]]["description"] = text
    named = components.pop(document.__name__)
    del top
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **named, "title": title, "$defs": components}


def _field_docs(document: type[msgspec.Struct]) -> Iterator[tuple[tuple[str, str], str]]:
    """(class, field as it is encoded) and the text under it, of every class that the document's module names."""
    module = sys.modules[document.__module__]
    classes = {
        value for value in vars(module).values() if isinstance(value, type) and issubclass(value, msgspec.Struct)
    }
    for found in classes:
        if found is msgspec.Struct:
            continue
        [node] = ast.parse(inspect.getsource(found)).body
        assert isinstance(node, ast.ClassDef)
        encoded = dict(zip(found.__struct_fields__, found.__struct_encode_fields__, strict=True))
        for field, text in zip(node.body, node.body[1:], strict=False):
            if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(text, ast.Expr):
                yield (found.__name__, encoded[field.target.id]), inspect.cleandoc(ast.literal_eval(text.value))


def main(folder: str) -> None:
    """Write both into `folder`."""
    for name, schema in (("summary", summary_schema()), ("progress", progress_schema())):
        text = msgspec.json.format(msgspec.json.encode(schema), indent=2) + b"\n"
        Path(folder, f"{name}.schema.json").write_bytes(text)


if __name__ == "__main__":
    main(sys.argv[1])
