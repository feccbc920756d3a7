"""The schema of a datasource, as Amazon ML writes it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from textclf.base.errors import BadDataError

NAME_LIMIT = 64
ATTRIBUTE_LIMIT = 1_000
_JSON_LIMIT = 1_000_000

# The console and the developer guide spell the keys the first way, the API reference the others; AWS's own samples
# mix them in one object.
_SPELLINGS = {
    "targetAttributeName": "targetFieldName",
    "rowId": "recordAnnotationFieldName",
    "rowWeight": "recordWeightFieldName",
    "attributes": "variables",
    "excludedAttributeNames": "excludedVariableNames",
    "attributeName": "fieldName",
    "attributeType": "fieldType",
}
_KINDS = {str: "string", list: "list", bool: "true or false"}
_BINARY = dict.fromkeys(("1", "y", "yes", "t", "true"), True) | dict.fromkeys(("0", "n", "no", "f", "false"), False)


class AttributeType(StrEnum):
    """What the values of a column are."""

    # words, split at white space
    TEXT = "TEXT"
    # 0 or 1, or what `parse_binary` takes for them
    BINARY = "BINARY"
    # a quantity
    NUMERIC = "NUMERIC"
    # one string that is never split
    CATEGORICAL = "CATEGORICAL"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    r"""The columns of a datasource, in order, with their types and roles.

    Parameters
    ----------
    attributes : tuple of (str, AttributeType)
        Name and type of each column, in the order of the file: at most 1,000, names of 1 to 64 characters.
    target : str, optional
        The column to predict; None for data without one.
    row_id : str, optional
        The column that names the row and is never learned from.
    has_header : bool
        Whether the file's first line names the columns.
    excluded : tuple of str
        Columns to ignore.

    Raises
    ------
    textclf.base.errors.BadDataError
        The parts do not fit together.

    References
    ----------
    Amazon Machine Learning Developer Guide, "Creating a Data Schema for Amazon ML",
    https://docs.aws.amazon.com/machine-learning/latest/dg/creating-a-data-schema-for-amazon-ml.html
    """

    attributes: tuple[tuple[str, AttributeType], ...]
    target: str | None = None
    row_id: str | None = None
    has_header: bool = True
    excluded: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.attributes:
            raise BadDataError("a schema has no attributes", remedy="list the name and type of each column")
        if len(self.attributes) > ATTRIBUTE_LIMIT:
            raise BadDataError(
                f"a schema has {len(self.attributes):,} attributes, more than {ATTRIBUTE_LIMIT:,}",
                remedy="use fewer keyword categories or shorter vectors",
            )
        seen: set[str] = set()
        for name in self.names:
            if not 1 <= len(name) <= NAME_LIMIT:
                raise BadDataError(
                    f"attribute name '{name[:NAME_LIMIT]}' has {len(name):,} characters, not 1 to {NAME_LIMIT}",
                    remedy="shorten it",
                )
            if name in seen:
                raise BadDataError(f"a schema names the attribute '{name}' twice", remedy="rename one of them")
            seen.add(name)
        for role, held in (("target", self.target), ("row id", self.row_id)):
            if held is not None and held not in seen:
                raise BadDataError(
                    f"the schema's {role} '{held[:NAME_LIMIT]}' is not among its attributes",
                    remedy="list it there or name another",
                )
        if self.target is not None and self.target == self.row_id:
            raise BadDataError(f"'{self.target}' is target and row id at once", remedy="give one of the roles only")

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(name for name, _ in self.attributes)

    def to_json(self) -> str:
        """Write in the spelling of the developer guide and the console, with a line feed at the end."""
        content = {
            "version": "1.0",
            "rowId": self.row_id,
            "rowWeight": None,
            "targetAttributeName": self.target,
            "dataFormat": "CSV",
            "dataFileContainsHeader": self.has_header,
            "attributes": [{"attributeName": name, "attributeType": str(kind)} for name, kind in self.attributes],
            "excludedAttributeNames": list(self.excluded),
        }
        return json.dumps(content, ensure_ascii=False, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str, *, where: str | Path | None = None) -> Schema:
        """Read a schema in either spelling of the keys, or a mix of both; `where` it comes from, for the messages.

        Raises `BadDataError` for what is no schema, and for one that we cannot follow: a data format other than CSV,
        row weights, an unknown type.
        """
        try:
            return _schema(text)
        except BadDataError as error:
            raise BadDataError(error.what, where=where, remedy=error.remedy) from error


def parse_binary(value: str) -> bool:
    """Read a BINARY value: ``1 y yes t true`` or ``0 n no f false``, whatever the case, spaces around it ignored."""
    try:
        return _BINARY[value.strip().lower()]
    except KeyError:
        raise BadDataError(f"'{value[:40]}' is not {AttributeType.BINARY}", remedy="write 1 or 0") from None


def parse_numeric(value: str) -> float:
    """Read a NUMERIC value: a finite decimal number, with an exponent or not, spaces around it ignored."""
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    # Python takes 1_000 for a number, and digits of all scripts, which hardly another program does
    if not math.isfinite(number) or "_" in value or not value.strip().isascii():
        raise BadDataError(f"'{value[:40]}' is not {AttributeType.NUMERIC}", remedy="write a finite decimal number")
    return number


def _schema(text: str) -> Schema:
    if len(text) > _JSON_LIMIT:
        raise BadDataError(f"a schema of {len(text):,} characters is over {_JSON_LIMIT:,}", remedy="give a smaller one")
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadDataError(f"the schema is not JSON ({error})", remedy="correct it, or write it again") from error
    if not isinstance(content, dict):
        raise BadDataError("the schema is not a JSON object", remedy="write it as {...}")
    for key, name, expected in (("version", "schema version", "1.0"), ("dataFormat", "data format", "CSV")):
        if (found := _get(content, key, str, expected)) != expected:
            raise BadDataError(f"{name} {found!r} is unknown", remedy=f'write "{key}": "{expected}"')
    if _get(content, "rowWeight", str) is not None:
        raise BadDataError("the schema weights its rows, which we do not", remedy="leave rowWeight out or write null")
    excluded = _get(content, "excludedAttributeNames", list, [])
    if not all(isinstance(name, str) for name in excluded):
        raise BadDataError("excludedAttributeNames of the schema holds something that is no name", remedy="list names")
    return Schema(
        attributes=tuple(map(_attribute, _get(content, "attributes", list, []))),
        target=_get(content, "targetAttributeName", str),
        row_id=_get(content, "rowId", str),
        has_header=_get(content, "dataFileContainsHeader", bool, True),
        excluded=tuple(excluded),
    )


def _attribute(entry: object) -> tuple[str, AttributeType]:
    if not isinstance(entry, dict):
        raise BadDataError("an entry of the schema's attributes is no object", remedy="give it a name and a type")
    name, kind = _get(entry, "attributeName", str), _get(entry, "attributeType", str)
    if name is None or kind is None:
        raise BadDataError("an attribute of the schema lacks its name or type", remedy="give it both")
    if kind not in AttributeType.__members__:
        raise BadDataError(
            f"attribute '{name[:NAME_LIMIT]}' has the unknown type '{kind[:NAME_LIMIT]}'",
            remedy=f"use one of {', '.join(AttributeType)}",
        )
    return name, AttributeType(kind)


def _get(content: dict[str, Any], key: str, kind: type, default: Any = None) -> Any:
    """Value of a key in whichever spelling it stands; ``default`` where it is missing or null."""
    found = {name: content[name] for name in (key, _SPELLINGS.get(key, key)) if content.get(name) is not None}
    if not found:
        return default
    name, value = next(iter(found.items()))
    if any(other != value for other in found.values()):
        raise BadDataError(f"the schema gives {' and '.join(found)} with different values", remedy="keep one")
    if not isinstance(value, kind):
        raise BadDataError(f"{name} of the schema has the wrong kind of value", remedy=f"give a {_KINDS[kind]}")
    return value
