"""Recipes: the features of a model, computed from the attributes."""

from __future__ import annotations

import json
from dataclasses import dataclass

from aws_ml_adapter.api.expressions import (
    NAME_LIMIT,
    Expression,
    RecipeReader,
    recipe_fault,
)
from features.schema import Schema

OUTPUT_LIMIT = 10_000
"""Maximum features of a recipe, not counting their words and bins."""

_TEXT_LIMIT = 131_071


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """The text of a recipe, and its features for a schema, without duplicates, in order."""

    text: str
    outputs: tuple[Expression, ...]


def parse_recipe(text: str, schema: Schema) -> Recipe:
    """Parse a recipe for a schema, and expand its groups; raises `RequestFault` with place and column."""
    content = _sections(text)
    reader = RecipeReader(schema)
    for section in ("groups", "assignments"):
        for name, expression in content[section].items():
            reader.define(name, expression, f"{section}['{name[:NAME_LIMIT]}']")
    reader.open_all_inputs()
    outputs: dict[Expression, None] = {}
    for i, expression in content["outputs"].items():
        outputs |= dict.fromkeys(reader.evaluate(expression, f"outputs[{i}]"))
    if not 1 <= len(outputs) <= OUTPUT_LIMIT:
        raise recipe_fault("outputs", f"contain {len(outputs):,} variables, not 1 to {OUTPUT_LIMIT:,}")
    return Recipe(text=text, outputs=tuple(outputs))


def _sections(text: str) -> dict[str, dict[str, str]]:
    """Return each section as a mapping from name (for outputs, number) to expression."""
    if len(text) > _TEXT_LIMIT:
        raise recipe_fault("", f"has {len(text):,} characters, more than {_TEXT_LIMIT:,}")
    try:
        content = json.loads(text, object_pairs_hook=_no_name_twice)
    except (ValueError, RecursionError) as error:
        raise recipe_fault("", f"is not JSON ({error})") from error
    if not isinstance(content, dict):
        raise recipe_fault("", "is not a JSON object with groups, assignments and outputs")
    # samples in the API reference have an empty section "dependencies"
    unknown = [key for key in content if key not in ("groups", "assignments", "outputs") and content[key]]
    if unknown:
        raise recipe_fault("", f"has the unknown section '{unknown[0][:NAME_LIMIT]}'")
    outputs = content.get("outputs") or []
    if not isinstance(outputs, list):
        raise recipe_fault("outputs", "is not a list")
    sections = {
        "groups": content.get("groups") or {},
        "assignments": content.get("assignments") or {},
        "outputs": {str(i): output for i, output in enumerate(outputs)},
    }
    for name, section in sections.items():
        if not isinstance(section, dict):
            raise recipe_fault(name, "is not a JSON object")
        if not all(isinstance(expression, str) for expression in section.values()):
            raise recipe_fault(name, "contains a value that is not a string")
    return sections


def _no_name_twice(pairs: list[tuple[str, object]]) -> dict[str, object]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise recipe_fault("", f"defines '{twice[:NAME_LIMIT]}' twice")
    return content
