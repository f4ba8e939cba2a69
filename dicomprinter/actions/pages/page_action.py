"""What the actions that change pages have in common."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dicomprinter.actions.base import Action

if TYPE_CHECKING:
    from dicomprinter.actions.base import Tools
    from dicomprinter.imaging.edits.base import PageEdit
    from dicomprinter.job.job import Job


@dataclass(frozen=True)
class PageAction(Action):
    """An action that does one edit (`imaging.edits`) to every page of a job.

    Page images become new files of the job. A PDF stays as it is; its pages are changed when a Store, a Save or a Print
    renders them. A DICOM file stays as it is.
    """

    @abstractmethod
    def edit(self, job: Job, tools: Tools) -> PageEdit | None:
        """The edit, with every placeholder filled in; None when it would change no page at all.

        A file that it needs lies in the job's payload (`JobFolder.add_payload`).

        Raises:
            PermanentError: it cannot be made.
        """

    def perform(self, job: Job, tools: Tools) -> None:
        """Change the pages.

        Raises:
            PermanentError: a page cannot be decoded or changed.
            TransientError: the decoder cannot be started.
        """
        from dicomprinter.actions.pages.editing import change_pages

        edit = self.edit(job, tools)
        if edit is None:
            job.note(f"{self.name}: there is nothing to change")
        else:
            change_pages(self.name, edit, job, tools)
