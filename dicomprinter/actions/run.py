"""Run: start a program with values of the job and take values back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from dicomprinter.actions.base import NAME_ATTRIBUTE, ON_ERROR_ATTRIBUTE, policy
from dicomprinter.actions.dcm import check_takes_text
from dicomprinter.actions.later import LaterAction
from dicomprinter.config.kinds import MILLISECONDS, NONEMPTY_TEMPLATE, SETTABLE_TAG, TAG, TEXT, Kind, choice
from dicomprinter.config.placeholders import Template
from dicomprinter.config.spec import Attribute, Child, Spec, optional, required

if TYPE_CHECKING:
    from dicomprinter.config.spec import Report
    from dicomprinter.config.tree import Node
    from dicomprinter.dicom.tags import Tag

# A word of a shell-like line: placeholders and quoted pieces may hold blanks.
_WORD = re.compile(r"""(?:\#\{[^{}]*\}|"[^"]*"|'[^']*'|[^\s"'])+""")
_QUOTED = re.compile(r""""([^"]*)"|'([^']*)'""")
_IGNORED_PORT = "there is no launcher to reach"


@dataclass(frozen=True)
class Output:
    """A tag that takes a line of the program's output; `unique`: one line an image."""

    tag: Tag
    unique: bool


def _pieces(text: str) -> list[str]:
    if "|" in text:
        return text.split("|")
    words = _WORD.findall(text)
    if "".join("".join(words).split()) != "".join(text.split()):
        raise ValueError(f'"{text}" has a quote that is not closed; today arguments are separated by |')
    return [_QUOTED.sub(lambda match: match[1] if match[1] is not None else match[2], word) for word in words]


def _arguments(text: str) -> tuple[Template, ...]:
    return tuple(Template.parse(piece) for piece in _pieces(text)) if text else ()


def _check(node: Node, report: Report) -> None:
    arguments = node.child("Arguments")
    if arguments is not None and "|" not in arguments.text and len(arguments.value) > 1:
        today = "|".join(argument.source for argument in arguments.value)
        report.warn(arguments.position, "<Arguments> is split at its blanks, as in older files", f"today it is {today}")
    for output in node.all("Output"):
        check_takes_text(output["tag"], output.position, report)


INPUT = Spec(
    "Input",
    attributes=(Attribute("tag", TAG, required=True, doc="the tag whose value is given"),),
    doc="a value of the job",
)
OUTPUT = Spec(
    "Output",
    attributes=(
        Attribute("tag", SETTABLE_TAG, required=True, doc="the tag that takes the line"),
        Attribute("type", choice("Global", "Unique"), default="Global", doc="Unique: one line an image"),
    ),
    doc="a tag that is set from a line of the output",
)


@dataclass(frozen=True)
class Run(LaterAction):
    """Starts a program; `timeout` in milliseconds, `inputs` go to its standard input, one a line."""

    spec = Spec(
        "Run",
        attributes=(
            NAME_ATTRIBUTE,
            ON_ERROR_ATTRIBUTE,
            Attribute("type", choice("Console", "Interactive"), default="Console", doc="Interactive: on the desktop"),
            Attribute("resolveHostNameAutomatically", TEXT, ignored="a program runs where the service runs"),
        ),
        children=(
            required("Command", NONEMPTY_TEMPLATE, "the program"),
            optional("Arguments", Kind("arguments separated by |", _arguments), "separated by |"),
            Child(INPUT, most=None),
            Child(OUTPUT, most=None),
            optional("Timeout", MILLISECONDS, "ms until the program is stopped; 3000"),
            optional("LauncherPortNumber", TEXT, ignored=_IGNORED_PORT),
        ),
        check=_check,
        doc="start a program",
    )

    interactive: bool
    command: Template
    arguments: tuple[Template, ...]
    inputs: tuple[Tag, ...]
    outputs: tuple[Output, ...]
    timeout: int

    @classmethod
    def read(cls, node: Node) -> Self:
        """Make the action from its checked element."""
        return cls(
            node["name"],
            node.position,
            policy(node),
            interactive=node["type"] == "Interactive",
            command=node.content("Command"),
            arguments=node.content("Arguments", ()),
            inputs=tuple(child["tag"] for child in node.all("Input")),
            outputs=tuple(Output(child["tag"], child["type"] == "Unique") for child in node.all("Output")),
            timeout=node.content("Timeout", 3000),
        )
