"""A text of a field is written once: with its column, or, where the schema says more, with the field."""

import ast
from collections.abc import Iterator
from pathlib import Path

import schema as folder
from db.tables import metadata
from schema.names import snake
from schema.node import NODE_TYPES
from schema.sdl import graphql_schema


def declared_fields() -> Iterator[tuple[str, str, str | None]]:
    """Every `name: type = field(...)` of the node types: resource, name, and the text that is given (None: none)."""
    for path in sorted(Path(folder.__file__).parent.glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if not isinstance(node, ast.ClassDef) or node.name not in NODE_TYPES:
                continue
            for one in node.body:
                match one:
                    case ast.AnnAssign(
                        target=ast.Name(id=name), value=ast.Call(func=ast.Name(id="field"), args=arguments)
                    ):
                        yield node.name, name, ast.literal_eval(arguments[0]) if arguments else None


def test_no_text_repeats_that_of_its_column() -> None:
    graphql_schema()
    fields = list(declared_fields())
    assert len(fields) > 200
    for resource, name, text in fields:
        column = metadata.tables[snake(resource)].c.get(name)
        if text is None:
            assert column is not None, f"{resource}.{name} is no column, so it needs a text"
        elif column is not None:
            assert text.rstrip("。") != str(column.comment).rstrip("。"), (
                f"{resource}.{name}: leave the text to the column"
            )
