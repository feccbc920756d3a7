"""The expressions of a recipe, attributes and function calls, and their parser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import product
from math import prod

from aws_ml_adapter.api.faults import RequestFault
from features.schema import AttributeType, Schema

NAME_LIMIT = 64
"""Maximum characters of the name of a group or an assignment."""

_DEPTH_LIMIT = 20
_DIGIT_LIMIT = 9
_NODE_LIMIT = 50
"""Maximum variables and calls in one feature."""
_WORK_LIMIT = 100_000
"""Maximum features processed for one recipe, because groups of groups can multiply them."""

_TOKEN = re.compile(
    r"""
    (?P<blank>\s+|//[^\n]*)
    |(?P<symbol>[(),])
    |'(?P<single>(?:[^'\\]|\\.)*)'
    |"(?P<double>(?:[^"\\]|\\.)*)"
    |(?P<number>\d+)(?![^\s,()/])
    |(?P<name>[^\W\d_](?:(?!//)[^,'"()\t\r\n\\])*)
    """,
    re.VERBOSE | re.DOTALL,
)
_PLAIN_NAME = re.compile(r"""[^\W\d_][^\s,'"()\\/]*""")
_ESCAPES = {"t": "\t", "r": "\r", "n": "\n"}


class Function(StrEnum):
    """The functions of recipes."""

    NGRAM = "ngram"
    """All sequences of 1 to n words, joined by spaces."""
    OSB = "osb"
    """Orthogonal sparse bigrams: the first word of each window of n words with each later one, joined by as many ``_``
    as they are apart."""
    LOWERCASE = "lowercase"
    """The text in lower case."""
    NO_PUNCT = "no_punct"
    """The words without the punctuation at their ends."""
    QUANTILE_BIN = "quantile_bin"
    """The number's bin, of n bins that are equally full in training."""
    NORMALIZE = "normalize"
    """The number minus the mean, divided by the standard deviation, of the training data."""
    CARTESIAN = "cartesian"
    """Every combination of the words or values of all arguments, joined by ``_``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signature:
    takes: tuple[AttributeType, ...]
    gives: AttributeType
    numbers: range | None = None


_TEXT, _BINARY, _NUMERIC, _CATEGORICAL = AttributeType
_SIGNATURES = {
    Function.NGRAM: _Signature(takes=(_TEXT,), gives=_CATEGORICAL, numbers=range(2, 11)),
    Function.OSB: _Signature(takes=(_TEXT,), gives=_CATEGORICAL, numbers=range(2, 11)),
    Function.LOWERCASE: _Signature(takes=(_TEXT,), gives=_TEXT),
    Function.NO_PUNCT: _Signature(takes=(_TEXT,), gives=_TEXT),
    Function.QUANTILE_BIN: _Signature(takes=(_NUMERIC,), gives=_CATEGORICAL, numbers=range(2, 1_001)),
    Function.NORMALIZE: _Signature(takes=(_NUMERIC,), gives=_NUMERIC),
    Function.CARTESIAN: _Signature(takes=(_TEXT, _CATEGORICAL, _BINARY), gives=_CATEGORICAL),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """An attribute of the schema; ``str`` formats it as in a recipe."""

    name: str
    type: AttributeType

    def __str__(self) -> str:
        if _PLAIN_NAME.fullmatch(self.name):
            return self.name
        return quoted(self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A function call, with its number of words or bins, if any; ``str`` formats it as in a recipe."""

    function: Function
    arguments: Expressions
    number: int | None = None

    @property
    def type(self) -> AttributeType:
        """Type of the result; for ``ngram``, ``osb`` and ``cartesian``, CATEGORICAL stands for several values."""
        return _SIGNATURES[self.function].gives

    def __str__(self) -> str:
        arguments = [*map(str, self.arguments), *([] if self.number is None else [str(self.number)])]
        return f"{self.function}({','.join(arguments)})"


Expression = Variable | Call
Expressions = tuple[Expression, ...]


def input_variables(schema: Schema) -> dict[str, Variable]:
    """Return the input attributes by name: all except the target, the row id and the excluded ones."""
    apart = {schema.target, schema.row_id, *schema.excluded}
    return {name: Variable(name=name, type=kind) for name, kind in schema.attributes if name not in apart}


def quoted(name: str) -> str:
    """Return a name in quotes, which make any name valid in a recipe."""
    return "'" + re.sub(r"(['\\])", r"\\\1", name) + "'"


def recipe_fault(place: str, what: str) -> RequestFault:
    """Return an error in a recipe; the place is section, entry and column, or empty for the whole recipe."""
    return RequestFault(what, where=f"recipe, {place}" if place else "recipe")


@dataclass(frozen=True, slots=True)
class _Lexeme:
    kind: str
    text: str
    column: int


def _tokens(text: str, place: str) -> Iterator[_Lexeme]:
    end = 0
    while end < len(text):
        match = _TOKEN.match(text, end)
        if match is None:
            raise recipe_fault(
                f"{place}, column {end + 1}",
                f"{text[end]!r} cannot start a name, number or function (put such names in single quotes)",
            )
        kind = str(match.lastgroup)
        value = match[kind]
        if kind in ("single", "double"):
            kind, value = "quoted", _unescape(value)
        if kind != "blank":
            yield _Lexeme(kind, value.rstrip() if kind == "name" else value, end + 1)
        end = match.end()
    yield _Lexeme("end", "", end + 1)


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), text, flags=re.DOTALL)


class RecipeReader:
    """Parses the expressions of a recipe in order; each may refer to the definitions before it."""

    def __init__(self, schema: Schema) -> None:
        self._schema = schema
        variables = input_variables(schema)
        self._all = tuple(variables.values())
        self._names: dict[str, Expressions] = {name: (variable,) for name, variable in variables.items()}
        for kind in AttributeType:
            self._names[f"ALL_{kind}"] = tuple(variable for variable in self._all if variable.type is kind)
        self._work = 0
        # of the current expression
        self._place, self._tokens, self._next = "", [_Lexeme("end", "", 1)], 0

    def open_all_inputs(self) -> None:
        """Allow ``ALL_INPUTS`` from now on; it is allowed in outputs only."""
        self._names["ALL_INPUTS"] = self._all

    def define(self, key: str, text: str, place: str) -> None:
        """Define a group or an assignment; the place is for messages."""
        expressions = self.evaluate(text, place)
        match = _TOKEN.fullmatch(key.strip())
        quoted = match and (match["single"] or match["double"])
        name = _unescape(quoted) if quoted else key.strip()
        if not expressions and not text.partition("//")[0].strip():
            raise recipe_fault(place, "is empty")
        if not 1 <= len(name) <= NAME_LIMIT:
            raise recipe_fault(place, f"has a name of {len(name):,} characters, not 1 to {NAME_LIMIT}")
        if name in self._names or name in self._schema.names or name == "ALL_INPUTS":
            raise recipe_fault(place, "has a name that is taken")
        self._names[name] = expressions

    def evaluate(self, text: str, place: str) -> Expressions:
        """Return the features of an expression; none if it is only a comment."""
        self._place, self._tokens, self._next = place, list(_tokens(text, place)), 0
        begin = self._tokens[0]
        if begin.kind == "end":
            return ()
        found = self._argument(depth=0)
        self._take("", what="the end")
        if isinstance(found, int):
            raise self._fault(begin, "a number alone is not a variable")
        self._spend(begin, len(found))
        return found

    def _take(self, *symbols: str, what: str = "") -> _Lexeme:
        token = self._tokens[self._next]
        if symbols and (token.kind not in ("symbol", "end") or token.text not in symbols):
            shown = f"'{token.text[:NAME_LIMIT]}'" if token.text else "the end"
            raise self._fault(token, f"{shown} appears instead of {what or ' or '.join(symbols)}")
        self._next += 1
        return token

    def _argument(self, depth: int) -> Expressions | int:
        token = self._take()
        if token.kind == "number":
            digits = token.text.lstrip("0") or "0"
            if len(digits) > _DIGIT_LIMIT:
                raise self._fault(token, f"a number has {len(digits):,} digits, more than {_DIGIT_LIMIT}")
            return int(digits)
        if token.kind not in ("name", "quoted"):
            raise self._fault(token, "a name, a number or a function is missing")
        if token.kind == "name" and self._tokens[self._next].text == "(":
            return self._call(token, depth + 1)
        if token.text not in self._names:
            raise self._fault(token, self._why_unknown(token.text))
        return self._names[token.text]

    def _why_unknown(self, name: str) -> str:
        shown = f"'{name[:NAME_LIMIT]}'"
        if name == "ALL_INPUTS":
            return "ALL_INPUTS is allowed in outputs only"
        if name == self._schema.target:
            return f"{shown} is the target"
        if name == self._schema.row_id:
            return f"{shown} is the row id"
        if name in self._schema.excluded:
            return f"{shown} is excluded by the schema"
        return f"{shown} is not an attribute of the schema, nor a group or assignment defined above"

    def _call(self, name: _Lexeme, depth: int) -> Expressions:
        if depth > _DEPTH_LIMIT:
            raise self._fault(name, f"functions are nested more than {_DEPTH_LIMIT} deep")
        self._take("(")
        arguments = [self._argument(depth)]
        while self._take(",", ")").text == ",":
            arguments.append(self._argument(depth))
        numbers = [argument for argument in arguments if isinstance(argument, int)]
        members = [argument for argument in arguments if not isinstance(argument, int)]
        if name.text in ("group", "group_remove"):
            if numbers:
                raise self._fault(name, f"{name.text} takes no number")
            return self._group(name, members)
        if name.text not in [*Function]:
            raise self._fault(name, f"'{name.text[:NAME_LIMIT]}' is not a function")
        self._check_arguments(name, arguments)
        return self._calls(name, members, numbers[0] if numbers else None)

    def _group(self, name: _Lexeme, members: list[Expressions]) -> Expressions:
        self._spend(name, sum(map(len, members)))
        if name.text == "group":
            return tuple(dict.fromkeys(expression for member in members for expression in member))
        removed = {expression for member in members[1:] for expression in member}
        return tuple(expression for expression in members[0] if expression not in removed)

    def _check_arguments(self, name: _Lexeme, arguments: list[Expressions | int]) -> None:
        signature = _SIGNATURES[Function(name.text)]
        numbers = [argument for argument in arguments if isinstance(argument, int)]
        members = len(arguments) - len(numbers)
        if name.text == Function.CARTESIAN:
            if numbers or members < 2:
                raise self._fault(name, "cartesian takes at least two variables and no number")
        elif signature.numbers is None:
            if numbers or members != 1:
                raise self._fault(name, f"{name.text} takes one variable or group")
        elif len(arguments) != 2 or not isinstance(arguments[1], int) or len(numbers) != 1:
            raise self._fault(name, f"{name.text} takes one variable or group and one whole number")
        elif numbers[0] not in signature.numbers:
            minimum, maximum = signature.numbers[0], signature.numbers[-1]
            raise self._fault(name, f"{name.text} takes a number from {minimum} to {maximum:,}, not {numbers[0]:,}")

    def _calls(self, name: _Lexeme, members: list[Expressions], number: int | None) -> Expressions:
        function = Function(name.text)
        takes = _SIGNATURES[function].takes
        self._spend(name, sum(map(len, members)) + prod(map(len, members)))
        for expression in (expression for member in members for expression in member):
            if expression.type not in takes:
                wanted = " or ".join(takes)
                raise self._fault(name, f"{function} takes {wanted}, and {str(expression)[:200]} is {expression.type}")
        calls = [Call(function=function, arguments=arguments, number=number) for arguments in product(*members)]
        if any(_nodes(call) > _NODE_LIMIT for call in calls):
            raise self._fault(name, f"a feature has more than {_NODE_LIMIT} variables and functions")
        return tuple(calls)

    def _spend(self, token: _Lexeme, work: int) -> None:
        self._work += work
        if self._work > _WORK_LIMIT:
            raise self._fault(token, f"the groups of the recipe contain more than {_WORK_LIMIT:,} variables")

    def _fault(self, token: _Lexeme, what: str) -> RequestFault:
        return recipe_fault(f"{self._place}, column {token.column}", what)


def _nodes(expression: Expression) -> int:
    return 1 if isinstance(expression, Variable) else 1 + sum(map(_nodes, expression.arguments))
