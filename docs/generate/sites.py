"""Where the source says something to a person: errors, problems of a configuration, lines of logs."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from docs.generate.source import (
    Builder,
    Names,
    assigned,
    builders,
    called,
    calls_by_function,
    chosen_classes,
    error_call,
    error_classes,
    modules,
)
from docs.generate.texts import UNKNOWN, says_something, text_of

_CONFIGURATION = {"error": "error of the configuration", "warn": "warning of the configuration"}
_LOGS = {
    "warning": "log, WARN",
    "error": "log, ERROR",
    "exception": "log, ERROR",
    "critical": "log, FATAL",
}
_NOTES = {"WARN": "history, WARN", "ERROR": "history, ERROR"}
# What these raise becomes a problem of the configuration.
_VALUES = ("config", "actions", "workflow", "dicom/tags.py")


@dataclass(frozen=True)
class Message:
    """What is said at one place, with … where a value stands.

    Args:
        module: the path below the package.
        line: of the call that makes it.
        kind: the error's class, or which of the configuration's problems, or the log.
    """

    module: str
    line: int
    kind: str
    what: str
    cause: str = ""
    remedy: str = ""


def messages(trees: Mapping[str, ast.Module] | None = None) -> list[Message]:
    """Every message, in the order of the files; the same text of one file stands once."""
    trees = modules() if trees is None else trees
    classes = error_classes(trees)
    made = _used(builders(trees, classes), trees)
    found: dict[tuple[str, str, str, str, str], Message] = {}
    for module, tree in trees.items():
        for message in _of_module(module, tree, classes, made):
            if says_something(message.what):
                key = (message.module, message.kind, message.what, message.cause, message.remedy)
                found.setdefault(key, message)
    return list(found.values())


def _used(made: list[Builder], trees: Mapping[str, ast.Module]) -> dict[str, list[Builder]]:
    """By name, those that the source calls by a name known here; any other is told with its arguments left open."""
    names = {builder.function.name for builder in made}
    calls = [
        (node, module)
        for module, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and called(node) in names
    ]
    found: dict[str, list[Builder]] = {}
    for builder in made:
        if any(builder.is_called(call, module) for call, module in calls):
            found.setdefault(builder.function.name, []).append(builder)
    return found


def _of_module(module: str, tree: ast.Module, classes: set[str], made: dict[str, list[Builder]]) -> Iterator[Message]:
    inside = {id(builder.call) for alike in made.values() for builder in alike}
    constants = assigned(tree.body)
    for function, calls in calls_by_function(tree).items():
        names, chosen = dict(constants), dict[str, str]()
        if function is not None:
            names |= assigned(list(ast.walk(function)))
            chosen = chosen_classes(function, classes)
        for call in calls:
            builder = next((one for one in made.get(called(call), ()) if one.is_called(call, module)), None)
            if builder is not None:
                yield from _built(module, call, builder, names)
            elif id(call) not in inside:
                yield from _said(module, call, error_call(call, classes, chosen), names)


def _built(module: str, call: ast.Call, builder: Builder, names: Names) -> Iterator[Message]:
    known = assigned(list(ast.walk(builder.function))) | builder.defaults
    for name, value in zip(builder.positional, call.args, strict=False):
        known[name] = text_of(value, names)
    for word in call.keywords:
        if word.arg in known:
            known[word.arg] = text_of(word.value, names)
    for made in _said(module, builder.call, builder.kind, known):
        yield Message(module, call.lineno, made.kind, made.what, made.cause, made.remedy)


def _said(module: str, call: ast.Call, kind: str | None, names: Names) -> Iterator[Message]:
    """What a call says: an error of a kind, or one of the ways to tell a person something."""
    if kind:
        words = {word.arg: word.value for word in call.keywords}
        what = call.args[0] if call.args else words.get("what")
        cause, remedy = (text_of(words.get(one), names) for one in ("cause", "remedy"))
        yield Message(module, call.lineno, kind, text_of(what, names), cause, remedy)
    else:
        for how, what_is, hint in (*_of_configuration(module, call, names), *_of_logs(call, names)):
            yield Message(module, call.lineno, how, what_is, "", hint)


def _of_configuration(module: str, call: ast.Call, names: Names) -> Iterator[tuple[str, str, str]]:
    name, texts = called(call), [text_of(one, names) for one in call.args]
    if not texts:
        return
    if name in _CONFIGURATION and _owner(call) == "report":
        yield _CONFIGURATION[name], *_two(texts[1:])
    elif name == "Remark":
        is_warning = any(word.arg == "is_error" for word in call.keywords)
        yield _CONFIGURATION["warn" if is_warning else "error"], *_two(texts)
    elif name == "BadParameter":
        yield "an argument", *_split(texts[0])
    elif name == "ValueError" and module.startswith(_VALUES):
        yield _CONFIGURATION["error"], *_split(texts[0])


def _of_logs(call: ast.Call, names: Names) -> Iterator[tuple[str, str, str]]:
    name = called(call)
    if not call.args:
        return
    if name in _LOGS and _owner(call) in ("_LOG", "_log"):
        text = text_of(call.args[0], names)
        yield _LOGS[name], text.replace("%s", UNKNOWN).replace("%g", UNKNOWN).replace("%d", UNKNOWN), ""
    elif name == "note":
        level = next((text_of(word.value, names) for word in call.keywords if word.arg == "level"), "")
        if level in _NOTES:
            yield _NOTES[level], text_of(call.args[0], names), ""


def _owner(call: ast.Call) -> str:
    match call.func:
        case ast.Attribute(value=ast.Name(id=name)):
            return name
    return ""


def _two(texts: list[str]) -> tuple[str, str]:
    return texts[0] if texts else "", texts[1] if len(texts) > 1 else ""


def _split(text: str) -> tuple[str, str]:
    """`what; hint` of a ValueError, of which the hint may be chosen at run time."""
    what, _, hint = text.partition("; ")
    return what, hint.replace("/ ; ", "/ ")
