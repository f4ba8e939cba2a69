"""What a Run does with a job: the program's call, and what is taken from its end."""

from __future__ import annotations

import locale
import re
import shlex
from copy import deepcopy
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from dicomprinter.actions.objects.own import OwnAttributes, give_own
from dicomprinter.actions.parse.job_text import job_text
from dicomprinter.actions.programs import Call, last_lines
from dicomprinter.actions.run.files import RunFiles
from dicomprinter.actions.tags.dcm import resolve_vr
from dicomprinter.actions.tags.setting import set_cleaned, settle
from dicomprinter.dicom.tags import tag_name
from dicomprinter.errors import DiscardJob, PermanentError, SuspendJob

if TYPE_CHECKING:
    from dicomprinter.actions.base import Tools
    from dicomprinter.actions.programs import Ended
    from dicomprinter.actions.run.action import Run
    from dicomprinter.dicom.tags import Tag
    from dicomprinter.job.job import Job
    from dicomprinter.job.parts import Payload

# -2 and -3, of which POSIX keeps eight bits.
_DISCARD: Final = 254
_SUSPEND: Final = 253
_LINE_ENDS: Final = re.compile(r"\r\n|[\r\n]")


def perform_run(action: Run, job: Job, tools: Tools) -> None:
    """Perform a Run; it raises as `Run.perform` says."""
    with job.folder.work() as work:
        files = RunFiles.copied(job, work, _text(action, job, tools))
        call = _call(action, job, tools, files)
        name, arguments = call.name, private_text(call.command)
        # What it does outside must not come of a job that a loss of power takes back.
        tools.secure(job)
        ended = tools.programs.run(call)
        if ended is None:
            job.note(
                f'{action.name}: a dry run: it would start the program "{name}" with '
                f"{_count(len(call.command) - 1, 'argument')}",
                private=arguments,
            )
            return
        job.note(f'{action.name}: the program "{name}" ended with {ended.how}', private=_said(arguments, ended))
        _obey(ended, name)
        if action.outputs:
            _take_output(action, job, ended)
        job.payload = files.replaced(action.name, job, tools.decoder)


def _text(action: Run, job: Job, tools: Tools) -> str:
    """The job's text. Most programs do not ask for it, so a PDF whose text cannot be read is no failure."""
    try:
        return job_text(job, tools, None)
    except PermanentError as error:
        job.note(
            f"{action.name}: the job's text cannot be read, so CONTENTS_FILE is empty: {error}",
            level="WARN",
            private=error.private,
        )
        return ""


def private_text(command: tuple[str, ...]) -> str:
    """A command as one line, for people."""
    return " ".join(map(shlex.quote, command))


def _said(arguments: str, ended: Ended) -> str:
    errors = last_lines(ended.errors)
    return f"{arguments}\n{errors}" if errors else arguments


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def _call(action: Run, job: Job, tools: Tools, files: RunFiles) -> Call:
    command = files.expand(action.command, f"{action.name}/Command")
    if not command:
        raise PermanentError("the name of the program is empty", cause="the job has no value for its placeholders")
    if _names_a_place(command):
        # Where the service was started says nothing.
        command = str(tools.folder.absolute() / command)
    arguments = [
        files.expand(argument, f"{action.name}/Arguments/{number}") for number, argument in enumerate(action.arguments)
    ]
    on_desktop = action.interactive and not tools.programs.desktop
    if action.interactive and not on_desktop:
        why = tools.programs.desktop
        job.note(f"{action.name}: runs without a desktop, as type Console does: {why}", level="WARN")
    return Call(
        (command, *arguments),
        files.folder,
        action.timeout / 1000,
        data="".join(f"{_line(action, job, tag)}\n" for tag in action.inputs).encode("utf-8", "replace"),
        environment=files.environment(),
        passed_on=action.environment,
        on_desktop=on_desktop,
        shown=action.command.source,
    )


def _names_a_place(command: str) -> bool:
    """Whether a program is given by a path, and not by a name that PATH finds."""
    return PurePath(command).name != command


def _line(action: Run, job: Job, tag: Tag) -> str:
    text = job.tag_text(tag)
    if text is None:
        job.note(f"{action.name}: the job has no value for {tag_name(tag)}; its line is empty", level="WARN")
    return _LINE_ENDS.sub(" ", text or "")


def _obey(ended: Ended, name: str) -> None:
    if ended.code == _DISCARD:
        raise DiscardJob(f'the program "{name}" wants the job to be discarded (exit code -2)')
    if ended.code == _SUSPEND:
        raise SuspendJob(f'the program "{name}" wants to be asked again later (exit code -3)')
    ended.check(name)


def _take_output(action: Run, job: Job, ended: Ended) -> None:
    """Set the tags, all of them or none."""
    images = _images(job.payload)
    lines = _lines(ended.output)
    wanted = sum(len(images) if output.unique else 1 for output in action.outputs)
    if len(lines) < wanted:
        raise PermanentError(
            f"the program wrote {_count(len(lines), 'line')} to standard output, {wanted} are wanted",
            cause=f"each <Output> wants one; of type Unique, one for each image, and the job has {len(images)}",
            remedy="mend the program, or the <Output> elements",
            private=last_lines(ended.errors),
        )
    if any(line.strip() for line in lines[wanted:]):
        unused = f"those after the first {wanted} are not used"
        job.note(f"{action.name}: the program wrote {len(lines)} lines; {unused}", level="WARN")
    own = OwnAttributes.of_job(job)
    dataset, datasets, left = deepcopy(job.dataset), {name: own.named(name) for name in images}, iter(lines)
    for output in action.outputs:
        for one in datasets.values() if output.unique else (dataset,):
            notes = set_cleaned(one, output.tag, resolve_vr(output.tag, None), next(left).strip())
            for note in notes:
                job.note(f"{action.name}: {note}", level="WARN")
    give_own(job, datasets)
    settle(job, dataset, [output.tag for output in action.outputs if not output.unique])


def _images(payload: Payload) -> list[str]:
    """The names of what a line of type Unique belongs to: each page, document and DICOM file, in order."""
    return [*(page.name for page in payload.pages), *payload.documents, *payload.objects]


def _lines(output: bytes) -> list[str]:
    """Lines of a program's output, in UTF-8 or in the system's own encoding."""
    for encoding in ("utf-8-sig", locale.getencoding()):
        try:
            text = output.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise PermanentError(
            "the program's standard output is no text in UTF-8", remedy="let the program write UTF-8"
        ) from None
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    return lines[:-1] if lines[-1] == "" else lines
