"""The size and the imports of the four packages: lines of code and of docstrings, longest functions, forbidden imports.

A line of code has a token that is neither a comment nor part of a docstring. A string that is a statement by itself
counts as a docstring, also below an attribute. ``--root`` measures another checkout.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from common import ROOT, finish, options
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

PACKAGES = ("ocr", "features", "textclf", "aws_ml_adapter")
SILENT = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
LOWER = ("ocr.", "features.", "textclf.base.")
CLIENT, NOT_FOR_CLIENTS = "aws_ml_adapter.client.", ("aws_ml_adapter.server.", "aws_ml_adapter.engine.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One file of the packages."""

    name: str
    package: str
    code: frozenset[int]
    docstrings: int
    tree: ast.Module

    def imports(self, modules: dict[str, Module]) -> set[str]:
        """Modules of the project that this one imports, inside functions and for type checkers too."""
        names = set()
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                inner = {f"{node.module}.{alias.name}" for alias in node.names}
                names |= inner & modules.keys() or {node.module}
        return names & modules.keys() - {self.name}


def main() -> None:
    parser = options("structure", __doc__)
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout to measure (default: this one)")
    arguments = parser.parse_args()
    modules = {module.name: module for module in read(arguments.root)}
    arrows = {(name, other) for name, module in modules.items() for other in module.imports(modules)}
    finish(
        arguments,
        {
            "Lines": lines(modules),
            "Longest functions, lines of code": longest_functions(modules),
            "Longest modules, lines of code": [
                {"module": name, "lines": len(modules[name].code)}
                for name in sorted(modules, key=lambda name: -len(modules[name].code))[:10]
            ],
            "Imports": [
                {"imports": "in all", "number": len(arrows)},
                {"imports": "of ocr, features and textclf.base upwards", "number": sum(map(is_upwards, arrows))},
                {
                    "imports": "of aws_ml_adapter.client from its server or engine",
                    "number": sum(a.startswith(CLIENT) and f"{b}.".startswith(NOT_FOR_CLIENTS) for a, b in arrows),
                },
                {"imports": "circular, groups of modules", "number": circles(sorted(modules), arrows)},
            ],
            "Names that occur more than once": [*repeated(modules)],
        },
    )


def read(root: Path) -> Iterator[Module]:
    """Read all modules of the packages."""
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            source = path.read_text(encoding="utf-8")
            tree = ast.parse(source, str(path))
            docstrings = {
                line
                for node in ast.walk(tree)
                for statement in (node.body if isinstance(getattr(node, "body", None), list) else ())
                if isinstance(statement, ast.Expr)
                and isinstance(statement.value, ast.Constant)
                and isinstance(statement.value.value, str)
                for line in range(statement.lineno, statement.end_lineno + 1)
            }
            code = {
                line
                for token in tokenize.generate_tokens(io.StringIO(source).readline)
                if token.type not in SILENT
                for line in range(token.start[0], token.end[0] + 1)
            }
            blank = {number for number, line in enumerate(source.splitlines(), 1) if not line.strip()}
            name = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
            yield Module(
                name=name,
                package=".".join(path.parent.relative_to(root).parts),
                code=frozenset(code - docstrings - blank),
                docstrings=len(docstrings),
                tree=tree,
            )


def lines(modules: dict[str, Module]) -> list[dict[str, object]]:
    """Count lines by package, and in all."""
    code, docstrings, count = Counter[str](), Counter[str](), Counter[str]()
    for module in modules.values():
        for package in (module.package, "in all"):
            code[package] += len(module.code)
            docstrings[package] += module.docstrings
            count[package] += 1
    return [
        {"package": package, "modules": count[package], "code": code[package], "docstrings": docstrings[package]}
        for package in code
    ]


def longest_functions(modules: dict[str, Module]) -> list[dict[str, object]]:
    """Return the ten longest functions."""
    found = [
        (len(module.code & {*range(node.lineno, node.end_lineno + 1)}), f"{name}.{node.name}")
        for name, module in modules.items()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    return [{"function": name, "lines": length} for length, name in sorted(found, reverse=True)[:10]]


def is_upwards(arrow: tuple[str, str]) -> bool:
    """Tell whether a lower package imports more than itself and `textclf.base`."""
    name, other = (f"{end}." for end in arrow)
    home = next((package for package in LOWER if name.startswith(package)), None)
    # textclf/__init__.py is loaded with textclf.base, and imports nothing
    return home is not None and not other.startswith((home, "textclf.base.")) and other != "textclf."


def circles(names: list[str], arrows: set[tuple[str, str]]) -> int:
    """Count the groups of modules that import each other, directly or through others."""
    place = {name: position for position, name in enumerate(names)}
    rows, columns = (np.array([place[arrow[end]] for arrow in arrows]) for end in (0, 1))
    graph = coo_array((np.ones(len(arrows)), (rows, columns)), shape=(len(names), len(names)))
    _, groups = connected_components(graph.tocsr(), connection="strong")
    return int((np.bincount(groups) > 1).sum())


def repeated(modules: dict[str, Module]) -> Iterator[dict[str, object]]:
    """Return names of modules and of public classes that occur more than once."""
    places: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, module in modules.items():
        places["module", name.rpartition(".")[2]].append(name)
        for node in module.tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places["class", node.name].append(name)
    for (kind, name), found in sorted(places.items()):
        if len(found) > 1 and name != "__main__":
            yield {"kind": kind, "name": name, "in": ", ".join(found)}


if __name__ == "__main__":
    main()
