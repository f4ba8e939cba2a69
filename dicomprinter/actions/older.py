"""What older files have on every kind of action."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dicomprinter.config.spec import Report
    from dicomprinter.config.tree import Element


def on_error_dialect(element: Element, report: Report) -> None:
    """Say where the onError of an action's definition stands today; it is still obeyed."""
    policy = element.attribute("onError")
    if policy is not None:
        report.warn(
            element.position,
            f"<{element.name}> has the older attribute onError, the policy of a Perform that names none",
            f'today it is <Perform action="{element.attribute("name") or "…"}" onError="{policy}"/>',
        )
