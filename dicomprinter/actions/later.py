"""The actions that this version loads and checks, but cannot perform yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicomprinter.actions.base import Action
from dicomprinter.errors import PermanentError

if TYPE_CHECKING:
    from dicomprinter.actions.base import Tools
    from dicomprinter.job.job import Job

REMEDY = "take it out of the workflow, or wait for a version that performs it"


def sentence(action: Action, kind: str) -> str:
    """What `Action.not_yet` says of an action of which nothing can be performed."""
    return f'the action "{action.name}" is a {kind}: this version loads it but cannot perform it yet'


def refuse_later(action: Action) -> None:
    """Fail an action that cannot be performed yet.

    Raises:
        PermanentError: `Action.not_yet` says why.
    """
    reason = action.not_yet()
    if reason:
        raise PermanentError(reason, remedy=REMEDY)


class LaterAction(Action):
    """An action that a later version performs."""

    def not_yet(self) -> str:
        """Nothing of it can be performed."""
        return sentence(self, self.spec.name)

    def perform(self, job: Job, tools: Tools) -> None:  # noqa: ARG002 - every action gets both
        """Not in this version.

        Raises:
            PermanentError: always.
        """
        refuse_later(self)
