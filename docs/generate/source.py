"""The program's source as trees: its errors, the names that stand for a text, the functions that make an error."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from docs.generate.texts import UNKNOWN

PACKAGE = Path(__file__).resolve().parents[2] / "dicomprinter"
_BASE = "DicomPrinterError"
_OURSELVES = ("self", "cls")

Names = dict[str, ast.expr | str]
"""What names stand for: an expression, or a text as it is."""


def modules(package: Path = PACKAGE) -> dict[str, ast.Module]:
    """Every file of the package by its path below it."""
    files = sorted(package.rglob("*.py"))
    return {file.relative_to(package).as_posix(): ast.parse(file.read_text("utf-8")) for file in files}


def error_classes(trees: Mapping[str, ast.Module]) -> set[str]:
    """The names of the program's errors."""
    known = {_BASE}
    every = [node for tree in trees.values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    while True:
        more = {c.name for c in every if any(isinstance(b, ast.Name) and b.id in known for b in c.bases)} - known
        if not more:
            return known
        known |= more


def called(call: ast.Call) -> str:
    """The last name of what is called."""
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def error_call(call: ast.Call, classes: set[str], chosen: Mapping[str, str]) -> str | None:
    """The class of an error that is made here; `chosen` are names for a class that is chosen at run time.

    A ConfigError holds problems, each of which is told where it is found.
    """
    name = called(call)
    if name in classes and name != "ConfigError":
        return name
    return chosen.get(name) if isinstance(call.func, ast.Name) else None


def chosen_classes(function: ast.FunctionDef, classes: set[str]) -> dict[str, str]:
    """Names of a function that stand for one of several errors: `kind = TransientError if … else PermanentError`."""
    found: dict[str, str] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.IfExp):
            kinds = [one.id for one in ast.walk(node.value) if isinstance(one, ast.Name) and one.id in classes]
            for target in ast.walk(node.targets[0]) if kinds else ():
                if isinstance(target, ast.Name):
                    found[target.id] = " / ".join(dict.fromkeys(kinds))
    return found


def assigned(nodes: list[ast.stmt] | list[ast.AST]) -> Names:
    """Names that stand for one expression; those that get several are left unknown."""
    found: Names = {}
    for node in nodes:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                found[name] = UNKNOWN if name in found else value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                found[name] = UNKNOWN if name in found else value
    return found


def calls_by_function(tree: ast.Module) -> dict[ast.FunctionDef | None, list[ast.Call]]:
    """Every call, with the innermost function around it."""
    found: dict[ast.FunctionDef | None, list[ast.Call]] = {}

    def look(node: ast.AST, function: ast.FunctionDef | None) -> None:
        inside = node if isinstance(node, ast.FunctionDef) else function
        if isinstance(node, ast.Call):
            found.setdefault(inside, []).append(node)
        for child in ast.iter_child_nodes(node):
            look(child, inside)

    look(tree, None)
    return found


@dataclass(frozen=True)
class Builder:
    """A function that makes an error of its arguments: what is said is known only where it is called.

    Args:
        module: where it stands.
        function: itself.
        call: the error that it makes.
        kind: the error's class.
    """

    module: str
    function: ast.FunctionDef
    call: ast.Call
    kind: str

    @cached_property
    def positional(self) -> list[str]:
        """Its parameters that need no name."""
        found = self.function.args
        return [one.arg for one in [*found.posonlyargs, *found.args] if one.arg not in _OURSELVES]

    @cached_property
    def defaults(self) -> Names:
        """Each parameter, and what it stands for when a call leaves it out."""
        found = self.function.args
        named: Names = dict.fromkeys([*self.positional, *(one.arg for one in found.kwonlyargs)], UNKNOWN)
        for name, default in zip(reversed(self.positional), reversed(found.defaults), strict=False):
            named[name] = default
        for argument, given in zip(found.kwonlyargs, found.kw_defaults, strict=True):
            if given is not None:
                named[argument.arg] = given
        return named

    def is_called(self, call: ast.Call, module: str) -> bool:
        """Whether this calls it, and not another function of its name."""
        name = self.function.name
        match call.func:
            case ast.Name(id=found):
                return found == name and (not name.startswith("_") or module == self.module)
            case ast.Attribute(value=ast.Name(id="self"), attr=found):
                return found == name and module == self.module
            case ast.Attribute(value=ast.Name(id=owner), attr=found):
                return found == name and owner == Path(self.module).stem
        return False


def builders(trees: Mapping[str, ast.Module], classes: set[str]) -> list[Builder]:
    """Every function that returns one error, whose text depends on the function's arguments."""
    return [
        builder
        for module, tree in trees.items()
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        for builder in _builder(module, function, classes)
    ]


def _builder(module: str, function: ast.FunctionDef, classes: set[str]) -> Iterator[Builder]:
    chosen = chosen_classes(function, classes)
    made = [
        Builder(module, function, node.value, kind)
        for node in ast.walk(function)
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Call)
        if (kind := error_call(node.value, classes, chosen))
    ]
    if len(made) == 1:
        used = {node.id for node in ast.walk(made[0].call) if isinstance(node, ast.Name)}
        if used & made[0].defaults.keys():
            yield made[0]
