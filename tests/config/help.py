"""A configuration from its text, and what was said about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dicomprinter.config.tree import Position
from dicomprinter.errors import ConfigError, Problem
from dicomprinter.program import Program, load
from dicomprinter.workflow.nodes import Node

NOWHERE = Position(0, 0)
PEER = "<ConnectionParameters><PeerAETitle>P</PeerAETitle><Host>h</Host><Port>104</Port></ConnectionParameters>"
STORE = f'<Store name="Send">{PEER}</Store>'
QUERY = f'<Query name="Find">{PEER}</Query>'
PRINT = f'<Print name="Film">{PEER}</Print>'


def config(actions: str = STORE, workflow: str = "", sections: str = "") -> str:
    return f"<DicomPrinter>{sections}<Actions>{actions}</Actions><Workflow>{workflow}</Workflow></DicomPrinter>"


def loaded(folder: Path, document: str | bytes, environment: Mapping[str, str] | None = None) -> Program:
    file = folder / "config.xml"
    file.write_bytes(document if isinstance(document, bytes) else document.encode())
    return load(file, folder, environment or {})


def problems(folder: Path, document: str | bytes, environment: Mapping[str, str] | None = None) -> list[str]:
    """Each problem as a user reads it, with the file's name alone."""
    with pytest.raises(ConfigError) as caught:
        loaded(folder, document, environment)
    assert str(caught.value) == "\n".join(str(problem) for problem in caught.value.problems)
    return [said(problem) for problem in caught.value.problems]


def warnings(folder: Path, document: str | bytes) -> list[str]:
    return [said(problem) for problem in loaded(folder, document).warnings]


def said(problem: Problem) -> str:
    return str(replace(problem, file=Path(problem.file.name)))


def model(program: Program) -> tuple[Any, ...]:
    """What a file says, without where it stands in the file."""
    actions = {name: replace(action, position=NOWHERE) for name, action in program.actions.items()}
    return program.general, actions, placeless(program.workflow.root), program.drop_monitor


def placeless(value: Any) -> Any:
    """Workflow nodes and the elements that change actions, with their places left out."""
    if isinstance(value, tuple):
        return tuple(placeless(one) for one in value)
    if isinstance(value, Node):
        parts = {name: placeless(part) for name, part in vars(value).items() if name != "place"}
        return type(value).__name__, parts
    if hasattr(value, "position") and hasattr(value, "children"):
        return value.name, dict(value.values), value.value, placeless(value.children)
    return value
