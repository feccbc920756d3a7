"""Recipes: which features a model learns from, and how they are made of the attributes."""

from __future__ import annotations

import json
from dataclasses import dataclass

from aws_ml_adapter.api.expressions import (
    NAME_LIMIT,
    Expression,
    Scope,
    recipe_fault,
)
from features.schema import Schema

OUTPUT_LIMIT = 10_000
"""Features of a recipe, before their words and bins are counted."""

_TEXT_LIMIT = 131_071


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A recipe, checked against a schema, with groups and assignments put in their place.

    Parameters
    ----------
    text : str
        As it was given, for those who ask for it.
    outputs : tuple of (Variable or Call)
        The features, each once, in order. Of one that is TEXT the words are the features.
    """

    text: str
    outputs: tuple[Expression, ...]


def parse_recipe(text: str, schema: Schema) -> Recipe:
    """Read a recipe.

    A group that is given to a function stands for each of its members in turn (``cartesian`` of two groups for each
    pair). A name can be used below the place that defines it. ``//`` begins a comment within an expression.

    Parameters
    ----------
    text : str
        JSON with the sections ``groups``, ``assignments`` and ``outputs``, at most 131,071 characters.
    schema : Schema
        The attributes; the target, the row id and those excluded cannot be learned from.

    Returns
    -------
    Recipe

    Raises
    ------
    RequestFault
        With the place in the recipe and the column in the expression: it does not parse, names what is not there,
        gives a function what it cannot take, or has no or more than 10,000 outputs.

    References
    ----------
    https://docs.aws.amazon.com/machine-learning/latest/dg/recipe-format-reference.html
    https://docs.aws.amazon.com/machine-learning/latest/dg/data-transformations-reference.html

    Examples
    --------
    >>> from features.schema import AttributeType
    >>> schema = Schema(attributes=(("age", AttributeType.NUMERIC), ("note", AttributeType.TEXT)))
    >>> recipe = parse_recipe('{"outputs": ["quantile_bin(ALL_NUMERIC, 20)", "ngram(lowercase(note), 2)"]}', schema)
    >>> [str(output) for output in recipe.outputs]
    ['quantile_bin(age,20)', 'ngram(lowercase(note),2)']
    >>> parse_recipe('{"outputs": ["ngram(age, 2)"]}', schema)
    Traceback (most recent call last):
    aws_ml_adapter.api.faults.RequestFault: recipe, outputs[0], column 1: ngram takes TEXT, and age is NUMERIC
    """
    content = _sections(text)
    scope = Scope(schema)
    for section in ("groups", "assignments"):
        for name, expression in content[section].items():
            scope.define(name, expression, f"{section}['{name[:NAME_LIMIT]}']")
    scope.open_all_inputs()
    outputs: dict[Expression, None] = {}
    for i, expression in content["outputs"].items():
        outputs |= dict.fromkeys(scope.evaluate(expression, f"outputs[{i}]"))
    if not 1 <= len(outputs) <= OUTPUT_LIMIT:
        raise recipe_fault("outputs", f"stand for {len(outputs):,} variables, not 1 to {OUTPUT_LIMIT:,}")
    return Recipe(text=text, outputs=tuple(outputs))


def _sections(text: str) -> dict[str, dict[str, str]]:
    """Section to name (of outputs: number) to expression."""
    if len(text) > _TEXT_LIMIT:
        raise recipe_fault("", f"has {len(text):,} characters, more than {_TEXT_LIMIT:,}")
    try:
        content = json.loads(text, object_pairs_hook=_no_name_twice)
    except (ValueError, RecursionError) as error:
        raise recipe_fault("", f"is not JSON ({error})") from error
    if not isinstance(content, dict):
        raise recipe_fault("", "is not a JSON object with groups, assignments and outputs")
    # the samples of the API reference have a section "dependencies", always empty
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
            raise recipe_fault(name, "holds something else than a text")
    return sections


def _no_name_twice(pairs: list[tuple[str, object]]) -> dict[str, object]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise recipe_fault("", f"defines '{twice[:NAME_LIMIT]}' twice")
    return content
