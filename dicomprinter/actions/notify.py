"""Notify: tell a person something about the job."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from dicomprinter.actions.base import NAME_ATTRIBUTE, ON_ERROR_ATTRIBUTE, policy
from dicomprinter.actions.later import LaterAction
from dicomprinter.actions.run import INPUT
from dicomprinter.config.kinds import BOOLEAN, MILLISECONDS, NONEMPTY_TEMPLATE, TEXT
from dicomprinter.config.spec import Attribute, Child, Spec, optional
from dicomprinter.config.tree import Element

if TYPE_CHECKING:
    from dicomprinter.config.placeholders import Template
    from dicomprinter.config.spec import Report
    from dicomprinter.config.tree import Node
    from dicomprinter.dicom.tags import Tag

_NUMBERED = re.compile(r"%(\d{1,2})")
_IGNORED = "a Notify starts no program; use a Run"
_OUTPUT = Spec(
    "Output",
    attributes=(
        Attribute("tag", TEXT, doc="the tag that a Run would set"),
        Attribute("type", TEXT, doc="what a Run would take"),
    ),
    doc="of a Run",
)


def _dialect(element: Element, report: Report) -> None:
    _mandatory(element, report)
    if element.find("Message") is not None:
        return
    text = f"{element.attribute('name') or 'Notify'}: #{{Job.Name}}"
    report.warn(element.position, "<Notify> has no <Message>", f"today it is <Message>{text}</Message>")
    element.children = [child for child in element.children if child.name.lower() != "input"]
    element.children.append(Element("Message", element.position, text=text))


def _mandatory(element: Element, report: Report) -> None:
    """`mandatory` of older files: whether a failure holds the job."""
    mandatory = element.pop("mandatory")
    if mandatory is None:
        return
    try:
        policy_name = "Hold" if BOOLEAN.parse(mandatory.strip()) else "Ignore"
    except ValueError as error:
        report.error(element.position, f'attribute "mandatory" of <{element.name}>: {error}')
        return
    if element.attribute("onError") is None:
        element.attributes["onError"] = policy_name
    else:
        report.warn(
            element.position, f'the attribute "mandatory" of <{element.name}> has no effect', "onError already says it"
        )


def _check(node: Node, report: Report) -> None:
    message = next(node.all("Message"))
    wanted = {int(number) for number in _NUMBERED.findall(message.text)}
    given = len(list(node.all("Input")))
    if wanted != set(range(1, given + 1)):
        asked = ", ".join(f"%{number}" for number in sorted(wanted)) or "none"
        report.error(
            message.position,
            f"<Message> asks for {asked}, <Notify> gives {given} <Input>",
            "number them from %1, one for each <Input>",
        )


@dataclass(frozen=True)
class Notify(LaterAction):
    """Shows `message`, its `%1` and so on filled from `inputs`; `timeout` in milliseconds."""

    spec = Spec(
        "Notify",
        attributes=(
            NAME_ATTRIBUTE,
            ON_ERROR_ATTRIBUTE,
            Attribute("type", TEXT, ignored=_IGNORED),
            Attribute("resolveHostNameAutomatically", TEXT, ignored=_IGNORED),
        ),
        children=(
            Child(Spec("Message", text=NONEMPTY_TEMPLATE, doc="the text; %1 is the first Input"), least=1),
            Child(INPUT, most=None),
            optional("Timeout", MILLISECONDS, "ms that the message stays; 3000"),
            optional("Command", TEXT, ignored=_IGNORED),
            optional("Arguments", TEXT, ignored=_IGNORED),
            Child(_OUTPUT, most=None, ignored=_IGNORED),
            optional("LauncherPortNumber", TEXT, ignored=_IGNORED),
        ),
        dialect=_dialect,
        check=_check,
        doc="tell a person something",
    )

    message: Template
    inputs: tuple[Tag, ...]
    timeout: int

    @classmethod
    def read(cls, node: Node) -> Self:
        """Make the action from its checked element."""
        return cls(
            node["name"],
            node.position,
            policy(node),
            message=node.content("Message"),
            inputs=tuple(child["tag"] for child in node.all("Input")),
            timeout=node.content("Timeout", 3000),
        )
