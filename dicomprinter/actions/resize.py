"""Resize: give pages another size in pixels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from dicomprinter.actions.base import NAME_ATTRIBUTE, ON_ERROR_ATTRIBUTE, policy
from dicomprinter.actions.later import LaterAction
from dicomprinter.config.kinds import SIDE, choice
from dicomprinter.config.spec import Spec, optional, required

if TYPE_CHECKING:
    from dicomprinter.config.tree import Node


@dataclass(frozen=True)
class Resize(LaterAction):
    """Scales each page into `width` × `height` pixels; without `keep_aspect` to exactly that."""

    spec = Spec(
        "Resize",
        attributes=(NAME_ATTRIBUTE, ON_ERROR_ATTRIBUTE),
        children=(
            required("Width", SIDE, "pixels"),
            required("Height", SIDE, "pixels"),
            optional("Aspect", choice("keep", "ignore"), "keep: fit inside; ignore: stretch"),
        ),
        doc="scale pages",
    )

    width: int
    height: int
    keep_aspect: bool

    @classmethod
    def read(cls, node: Node) -> Self:
        """Make the action from its checked element."""
        return cls(
            node["name"],
            node.position,
            policy(node),
            width=node.content("Width"),
            height=node.content("Height"),
            keep_aspect=node.content("Aspect", "keep") == "keep",
        )
