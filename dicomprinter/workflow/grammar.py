"""How a workflow is written, in both dialects."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from dicomprinter.actions.base import ON_ERROR
from dicomprinter.actions.print.film import FILM_BOX, IMAGE_BOX, SESSION
from dicomprinter.config.kinds import BOOLEAN, NAME, TEXT, choice, integer
from dicomprinter.config.spec import UNSET, Attribute, Child, Spec
from dicomprinter.config.tree import Element
from dicomprinter.workflow.conditions import FIELDS, REFUSED_FIELDS, check_tag, check_value

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dicomprinter.config.spec import Report
    from dicomprinter.config.tree import Node

_TAG_VALUE = re.compile(r"TAG_VALUE\s*\(\s*(.*?)\s*\)", re.IGNORECASE)

_FIELD = Attribute("field", choice(*FIELDS), required=True, doc="what is looked at")
_TAG = Attribute("tag", TEXT, doc="the tag of TAG_VALUE, or the Store's name of STORE_SUCCEEDED")
_CASE_VALUE = Attribute("value", TEXT, required=True, doc="what the field is compared with")
_CASE = Attribute("caseSensitive", BOOLEAN, default=True, doc="false: capital and small letters are alike")


def workflow_spec(changes: Iterable[Spec]) -> Spec:
    """The declaration of `<Workflow>`.

    Args:
        changes: what a Perform may hold to change its action for one execution (a nested Query).
    """
    specs: dict[str, Spec] = {}
    names = ("Perform", "If", "Switch", "Suspend", "Discard", "Update")
    nodes = tuple(Child(partial(specs.__getitem__, name), most=None) for name in names)

    def body(name: str, *attributes: Attribute, doc: str = "") -> Spec:
        return Spec(name, attributes, nodes, ordered=True, dialect=_body, doc=doc)

    specs["Perform"] = Spec(
        "Perform",
        (
            Attribute("action", NAME, required=True, doc="the action's name"),
            Attribute("onError", ON_ERROR, doc="what becomes of the job when the action fails; Hold when unsaid"),
            Attribute("defaultQuery", NAME, doc="of a Manual Query: the Query that operators use for the job"),
        ),
        tuple(Child(spec) for spec in changes),
        doc="runs an action",
    )
    specs["If"] = Spec(
        "If",
        (_FIELD, Attribute("value", TEXT, required=True, doc="what it is compared with"), _TAG, _CASE),
        (
            Child(body("Statements", doc="what runs when it holds; the tag may be left out"), least=1),
            Child(body("Else", doc="what runs when it does not hold")),
        ),
        dialect=_if,
        checks=(check_tag, _check_if),
        doc="runs its nodes when the condition holds",
    )
    specs["Switch"] = Spec(
        "Switch",
        (_FIELD, _TAG, _CASE),
        (
            Child(body("Case", _CASE_VALUE, doc="runs when its value is the first that fits"), most=None),
            Child(body("Default", doc="runs when no Case fits")),
        ),
        ordered=True,
        dialect=_switch,
        checks=(check_tag, _check_switch),
        doc="runs exactly one of its branches",
    )
    specs["Suspend"] = Spec(
        "Suspend",
        (
            Attribute("resumeAction", NAME, doc="where the job goes on; the first node when unsaid"),
            Attribute("maxRetries", integer(-1), default=-1, doc="after so many the node is passed over; -1: never"),
            Attribute("onError", TEXT, ignored="a Suspend cannot fail"),
        ),
        doc="stops the job and tries again after SuspensionTime",
    )
    specs["Discard"] = Spec("Discard", doc="ends the job and removes its files")
    specs["Update"] = Spec(
        "Update",
        (
            Attribute("action", NAME, required=True, doc="a Print's name"),
            Attribute("type", choice("Print"), default="Print", doc="what is changed"),
        ),
        (Child(SESSION), Child(FILM_BOX), Child(IMAGE_BOX)),
        doc="changes a Print's film attributes for this job",
    )
    return body("Workflow", doc="what happens to a job")


def _body(element: Element, report: Report) -> None:
    """Refuse what the incumbent had once, with a word of explanation."""
    for child in list(element.children):
        if child.name.lower() == "resume":
            element.children.remove(child)
            report.error(
                child.position,
                "<Resume> is not supported: a job goes on where its Suspend says",
                'write <Suspend resumeAction="…"/> instead',
            )
        elif child.name.lower() == "update" and child.attribute("field") is not None:
            element.children.remove(child)
            report.error(
                child.position,
                "<Update field=…> is not supported: an Update changes a Print's film attributes",
                "use a SetTag action to change the job's tags",
            )


def _condition_field(element: Element, report: Report) -> None:
    field = (element.attribute("field") or "").strip()
    match = _TAG_VALUE.fullmatch(field)
    if match:
        element.pop("field")
        element.attributes["field"] = "TAG_VALUE"
        if element.attribute("tag") is None:
            element.attributes["tag"] = match[1]
            element.labels["tag"] = element.label("field")
        else:
            report.error(element.position, f'{element.said} has the attribute "tag" beside {field}', "keep one of them")
    elif field.upper() in REFUSED_FIELDS:
        element.pop("field")
        element.attributes["field"] = UNSET
        report.error(
            element.position,
            f'the field "{field}" is not supported: an action that fails never goes on to the next condition',
            "say with onError on the Perform what becomes of the job",
        )


def _if(element: Element, report: Report) -> None:
    _condition_field(element, report)
    if element.find("Statements") is None and not any(child.name.lower() == "else" for child in element.children):
        body, element.children = element.children, []
        element.children = [Element("Statements", element.position, children=body)]
    elif element.find("Statements") is None:
        inside = [child for child in element.children if child.name.lower() != "else"]
        rest = [child for child in element.children if child.name.lower() == "else"]
        element.children = [Element("Statements", element.position, children=inside), *rest]


def _is_blank(text: str | None) -> bool:
    return text is not None and not text.strip()


def _switch(element: Element, report: Report) -> None:
    _condition_field(element, report)
    for child in element.children:
        statements = child.find("Statements")
        if statements is not None and len(child.children) == 1:
            child.children = statements.children
        if child.name.lower() == "case" and _is_blank(child.attribute("value")):
            child.name, child.said = "Default", '<Case value="">'
            child.pop("value")


def _check_if(node: Node, report: Report) -> None:
    check_value(node["field"], node["value"], node, report)


def _check_switch(node: Node, report: Report) -> None:
    for case in node.all("Case"):
        if value := case.texts.get("value"):
            check_value(node["field"], value, case, report)
