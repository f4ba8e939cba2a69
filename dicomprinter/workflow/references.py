"""Whether every name in a workflow is that of a declared action, of the right kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicomprinter.config.canonical import meant, nearest
from dicomprinter.config.spec import UNSET

if TYPE_CHECKING:
    from dicomprinter.config.spec import Report
    from dicomprinter.config.tree import Element, Node, Position


def check_references(root: Element, node: Node, report: Report) -> None:
    """Look at duplicate names, and at every `action`, `defaultQuery`, `resumeAction` and Store's `tag`.

    Args:
        root: the file's elements; an action that is wrong otherwise still counts as declared.
        node: the checked tree; may be incomplete where the report has errors.
        report: takes what is found.
    """
    kinds = _declared(root, report)
    workflow = next(node.all("Workflow"), None)
    if workflow is None:
        return
    performed = {n.texts.get("action") for n in workflow.walk() if n.name == "Perform"}
    for inner in workflow.walk():
        if inner.name == "Perform" and _known(inner, "action", kinds, report):
            kind = kinds[inner.texts["action"]]
            for change in inner.children:
                if change.name.lower() != kind.lower():
                    message = f'<{change.name}> cannot change "{inner.texts["action"]}", which is a {kind}'
                    report.error(change.position, message)
            if _known(inner, "defaultQuery", kinds, report):
                _check_default_query(inner, kinds, report)
        elif inner.name == "Suspend" and "resumeAction" in inner.texts and _known(inner, "resumeAction", kinds, report):
            if inner.texts["resumeAction"] not in performed:
                report.error(
                    inner.position,
                    f'the workflow never performs "{inner.texts["resumeAction"]}", so it cannot go on there',
                    "name an action that a <Perform> names",
                )
        elif inner.name == "Update" and _known(inner, "action", kinds, report):
            if kinds[inner.texts["action"]].lower() != "print":
                report.error(inner.position, f'"{inner.texts["action"]}" is not a Print and cannot be updated')
        elif inner.texts.get("field") == "STORE_SUCCEEDED" and inner.texts.get("tag"):
            _check_store(inner, kinds, report)


def _declared(root: Element, report: Report) -> dict[str, str]:
    """Each action's kind by its name."""
    kinds: dict[str, str] = {}
    first: dict[str, Position] = {}
    sections = [child for child in root.children if child.name.lower() in ("actions", "actionslist")]
    for element in (action for section in sections for action in section.children):
        name = _name(element)
        if name in kinds:
            message = f'the action "{name}" is declared twice; the first stands in line {first[name].line}'
            report.error(element.position, message, "give one of them another name")
        elif name and name != UNSET:
            kinds[name], first[name] = element.name, element.position
    return kinds


def _name(element: Element) -> str:
    """An action's name, also where only the word for it is misspelt: whoever performs it is not told of that."""
    misspelt = (text for attribute, text in element.attributes.items() if meant(attribute, ("name",)))
    return (element.attribute("name") or next(misspelt, "")).strip()


def _known(node: Node, attribute: str, kinds: dict[str, str], report: Report) -> bool:
    name = node.texts.get(attribute)
    if not name or name in kinds:
        return bool(name)
    report.error(node.position, f'action "{name}" is not declared', nearest(name, kinds) if kinds else "no action is")
    return False


def _check_default_query(node: Node, kinds: dict[str, str], report: Report) -> None:
    name = node.texts["defaultQuery"]
    if kinds[name].lower() != "query":
        report.error(node.position, f'defaultQuery: "{name}" is a {kinds[name]}, not a Query', "name a Query")
    elif kinds[node.texts["action"]].lower() != "query":
        message = f'defaultQuery has no effect: "{node.texts["action"]}" is a {kinds[node.texts["action"]]}'
        report.warn(node.position, message, 'it belongs to the <Perform> of a Query of type="Manual"')


def _check_store(node: Node, kinds: dict[str, str], report: Report) -> None:
    name = node.texts["tag"]
    stores = [other for other, kind in kinds.items() if kind.lower() == "store"]
    if name not in stores:
        message = f'STORE_SUCCEEDED: there is no Store "{name}"'
        report.error(node.position, message, nearest(name, stores) if stores else "no Store is declared")
