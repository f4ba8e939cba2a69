"""Save: write the job's objects, or its raw files, into a folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import PureWindowsPath
from typing import TYPE_CHECKING, Self

from dicomprinter.actions.base import NAME_ATTRIBUTE, ON_ERROR_ATTRIBUTE, Action, common
from dicomprinter.actions.save.names import is_listable
from dicomprinter.config.kinds import NONEMPTY_TEMPLATE, choice
from dicomprinter.config.placeholders import Template
from dicomprinter.config.spec import Attribute, Spec, optional, required

if TYPE_CHECKING:
    from dicomprinter.actions.base import Tools
    from dicomprinter.config.spec import Report
    from dicomprinter.config.tree import Node
    from dicomprinter.job.job import Job

_FILENAME = Template.parse("DP")


def _check_directory(node: Node, report: Report) -> None:
    directory = node.child("Directory")
    if directory is not None and os.name != "nt" and PureWindowsPath(directory.value.source).drive:
        report.warn(
            directory.position,
            f'<Directory> "{directory.value.source}" is a folder of Windows; here it is made below the base directory',
            "write it as a path of this system",
        )


def _check_names(node: Node, report: Report) -> None:
    raw = node.content("Format", "DICOM") == "dxi"
    filename = node.child("Filename")
    if raw:
        if filename is not None:
            report.warn(filename.position, "<Filename> has no effect with the format dxi", "the files keep their names")
        if node["dicomdir"] == "always":
            report.warn(node.position, 'dicomdir="always" has no effect with the format dxi')
        return
    if filename is not None and not is_listable(filename.value) and node["dicomdir"] != "always":
        report.warn(
            filename.position,
            "files of these names cannot be listed in a DICOMDIR, so none is written (PS3.10 8.2)",
            'use A-Z, 0-9 and _ only, at most 6 characters, without extension; or say dicomdir="always"',
        )


@dataclass(frozen=True)
class Save(Action):
    """Writes a DICOM File-set, or with `raw` the job's files as they are."""

    spec = Spec(
        "Save",
        attributes=(
            NAME_ATTRIBUTE,
            ON_ERROR_ATTRIBUTE,
            Attribute(
                "dicomdir",
                choice("auto", "always"),
                default="auto",
                doc="always: names that a DICOMDIR cannot list get legal copies beside them",
            ),
        ),
        children=(
            required("Directory", NONEMPTY_TEMPLATE, "the folder; made when it is not there"),
            optional("Filename", NONEMPTY_TEMPLATE, "what the names begin with; DP. _000001 and so on is appended"),
            optional("Format", choice("DICOM", "dxi"), "DICOM: objects with a DICOMDIR; dxi: the job's own files"),
        ),
        checks=(_check_directory, _check_names),
        doc="write the job into a folder",
    )

    directory: Template
    filename: Template
    raw: bool
    always_dicomdir: bool

    @classmethod
    def read(cls, node: Node) -> Self:
        """Make the action from its checked element."""
        return cls(
            *common(node),
            directory=node.content("Directory"),
            filename=node.content("Filename", _FILENAME),
            raw=node.content("Format") == "dxi",
            always_dicomdir=node["dicomdir"] == "always",
        )

    def perform(self, job: Job, tools: Tools) -> None:
        """Write what was not saved before.

        Raises:
            TransientError: the folder is away, full, or may not be written; what is saved stays saved.
            PermanentError: some objects could not be made, or a DICOMDIR that is there is damaged; the others are
                saved.
        """
        from dicomprinter.actions.save.performing import save

        save(self, job, tools)
