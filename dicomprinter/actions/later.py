"""The actions that this version loads and checks, but cannot perform yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Never

from dicomprinter.errors import PermanentError

if TYPE_CHECKING:
    from dicomprinter.actions.base import Action


def not_yet(action: Action) -> Never:
    """Fail an action that has no effect to offer yet.

    Raises:
        PermanentError: always; it names the action and its kind.
    """
    raise PermanentError(
        f'the action "{action.name}" is a {action.spec.name}: this version loads it but cannot perform it yet',
        remedy='take it out of the workflow, or set onError="Ignore" on its Perform',
    )
