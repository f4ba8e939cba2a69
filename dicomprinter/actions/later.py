"""The actions that this version loads and checks, but cannot perform yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Never

from dicomprinter.errors import PermanentError

if TYPE_CHECKING:
    from dicomprinter.actions.base import Action


def not_yet(action: Action, kind: str = "") -> Never:
    """Fail an action that has no effect to offer yet; `kind` says more than its element's name.

    Raises:
        PermanentError: always; it names the action and its kind.
    """
    raise PermanentError(
        f'the action "{action.name}" is a {kind or action.spec.name}: this version loads it but cannot perform it yet',
        remedy="take it out of the workflow, or wait for a version that performs it",
    )
