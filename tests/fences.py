"""The examples in the pages for readers: fenced blocks, and what each is put into before it is tried."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from tests.links import ROOT

_FENCE = re.compile(r"^```(\w*)(?: title=\"([^\"]*)\")?\n(.*?)^```$", re.DOTALL | re.MULTILINE)

_PEER = (
    "<ConnectionParameters><PeerAETitle>A</PeerAETitle><Host>127.0.0.1</Host><Port>104</Port></ConnectionParameters>"
)
# What the pages' fragments name.
_ACTIONS = f"""
<Query name="FindPatient" type="Worklist">{_PEER}</Query>
<Query name="AskOperator" type="Manual"/>
<SetTag name="SetMetadata"><DcmTag tag="PatientID">1</DcmTag></SetTag>
<Store name="SendToPACS">{_PEER}</Store>
<Store name="SendToBackup">{_PEER}</Store>
"""
# The line of `title="inside …"` -> what stands around the block.
AROUND = {
    "inside DicomPrinter": ("<DicomPrinter>", "<Actions/><Workflow/></DicomPrinter>"),
    "inside Actions": ("<DicomPrinter><Actions>", "</Actions><Workflow/></DicomPrinter>"),
    "inside Workflow": (f"<DicomPrinter><Actions>{_ACTIONS}</Actions><Workflow>", "</Workflow></DicomPrinter>"),
    "inside Store": ('<DicomPrinter><Actions><Store name="S">', "</Store></Actions><Workflow/></DicomPrinter>"),
    "inside Query": (
        f'<DicomPrinter><Actions><Query name="Q">{_PEER}',
        "</Query></Actions><Workflow/></DicomPrinter>",
    ),
}


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Args:
        page: below the repository.
        line: of the fence, from 1.
        language: after the backticks.
        title: what the fence says beside it.
        text: without the fence.
    """

    page: str
    line: int
    language: str
    title: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def configuration(self) -> str:
        """A block of XML as a whole configuration."""
        head, tail = AROUND[self.title] if self.title else ("", "")
        return head + self.text + tail


def blocks(page: Path) -> list[Block]:
    """Every block of a page."""
    text = page.read_text("utf-8")
    found = [
        Block(page.relative_to(ROOT).as_posix(), text.count("\n", 0, match.start()) + 1, *match.groups(default=""))
        for match in _FENCE.finditer(text)
    ]
    assert len(re.findall(r"^```", text, re.MULTILINE)) == 2 * len(found), (
        f"{page}: a fence that is not closed, or says more than its language and title"
    )
    return found


def commands(text: str) -> list[str]:
    """The lines of a shell block that call the program; a line may go on after a backslash."""
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [line.strip().removeprefix("$ ") for line in lines if re.match(r"\s*(?:\$ )?dicomprinter\b", line)]
