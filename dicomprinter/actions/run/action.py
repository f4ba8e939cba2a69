"""Run: start a program with values of the job and take values back."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from dicomprinter.actions.base import NAME_ATTRIBUTE, ON_ERROR_ATTRIBUTE, Action, common
from dicomprinter.actions.tags.dcm import check_takes_text
from dicomprinter.config.kinds import MILLISECONDS, NONEMPTY_TEMPLATE, SETTABLE_TAG, TAG, TEXT, Kind, choice
from dicomprinter.config.placeholders import Template
from dicomprinter.config.spec import Attribute, Child, Spec, optional, required

if TYPE_CHECKING:
    from dicomprinter.actions.base import Tools
    from dicomprinter.config.spec import Report
    from dicomprinter.config.tree import Node
    from dicomprinter.dicom.tags import Tag
    from dicomprinter.job.job import Job

# A word of a shell-like line: placeholders and quoted pieces may hold blanks.
_WORD = re.compile(r"""(?:\#\{[^{}]*\}|"[^"]*"|'[^']*'|[^\s"'])+""")
_QUOTED = re.compile(r""""([^"]*)"|'([^']*)'""")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_()]*")
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


def _names(text: str) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split("|"))
    if not all(map(_VARIABLE.fullmatch, names)):
        raise ValueError(f'"{text}" is no list of names of variables, such as JAVA_HOME|ODBCINI')
    return names


def _check_arguments(node: Node, report: Report) -> None:
    arguments = node.child("Arguments")
    if arguments is not None and "|" not in arguments.text and len(arguments.value) > 1:
        today = "|".join(argument.source for argument in arguments.value)
        report.warn(arguments.position, "<Arguments> is split at its blanks, as in older files", f"today it is {today}")


def _check_timeout(node: Node, report: Report) -> None:
    timeout = node.child("Timeout")
    if timeout is not None and timeout.value == 0:
        report.error(timeout.position, "<Timeout> 0 stops the program at once", "give it some milliseconds")


_VARIABLES = Kind("names of variables separated by |", _names, write="|".join)
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
    checks=(check_takes_text,),
    doc="a tag that is set from a line of the output",
)


@dataclass(frozen=True)
class Run(Action):
    """Starts a program.

    Args:
        inputs: go to its standard input, one a line.
        environment: names of variables of the service that it gets beside the usual ones.
        timeout: milliseconds.
    """

    spec = Spec(
        "Run",
        attributes=(
            NAME_ATTRIBUTE,
            ON_ERROR_ATTRIBUTE,
            Attribute("type", choice("Console", "Interactive"), default="Console", doc="Interactive: on the desktop"),
            Attribute("resolveHostNameAutomatically", TEXT, ignored="a program runs where the service runs"),
        ),
        children=(
            required("Command", NONEMPTY_TEMPLATE, "the program: a name that PATH finds, or a path"),
            optional("Arguments", Kind("arguments separated by |", _arguments), "separated by |"),
            Child(INPUT, most=None),
            Child(OUTPUT, most=None),
            optional("Timeout", MILLISECONDS, "ms until the program is stopped; 3000"),
            optional("Environment", _VARIABLES, "variables of the service that it gets as well, separated by |"),
            optional("LauncherPortNumber", TEXT, ignored=_IGNORED_PORT),
        ),
        checks=(_check_arguments, _check_timeout),
        doc="start a program",
    )

    interactive: bool
    command: Template
    arguments: tuple[Template, ...]
    inputs: tuple[Tag, ...]
    outputs: tuple[Output, ...]
    environment: tuple[str, ...]
    timeout: int

    @classmethod
    def read(cls, node: Node) -> Self:
        """Make the action from its checked element."""
        return cls(
            *common(node),
            interactive=node["type"] == "Interactive",
            command=node.content("Command"),
            arguments=node.content("Arguments", ()),
            inputs=tuple(child["tag"] for child in node.all("Input")),
            outputs=tuple(Output(child["tag"], child["type"] == "Unique") for child in node.all("Output")),
            environment=node.content("Environment", ()),
            timeout=node.content("Timeout", 3000),
        )

    def perform(self, job: Job, tools: Tools) -> None:
        """Start it, wait for its end, take what it says.

        Raises:
            PermanentError: it cannot be started, or what it has written is not what was asked for.
            TransientError: it has failed, or its time is up.
            DiscardJob, SuspendJob: its exit code wishes so.
            Interrupted: the service ends.
        """
        from dicomprinter.actions.run.performing import perform_run

        perform_run(self, job, tools)
