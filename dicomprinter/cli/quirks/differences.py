"""Each construct that a file may rely on and that means another thing here: what it did there, what it does here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeGuard

from dicomprinter.cli.quirks.sights import ACTIONS, OtherLetters, Unknown, Value, WithoutEffect, Written, sights
from dicomprinter.config.kinds import BOOLEAN
from dicomprinter.config.placeholders import Template
from dicomprinter.workflow.conditions import REFUSED_FIELDS, YES_OR_NO

if TYPE_CHECKING:
    from collections.abc import Callable

    from dicomprinter.cli.quirks.sights import Sight
    from dicomprinter.config.spec import Spec
    from dicomprinter.config.tree import Element, Position

    Look = Callable[[Sight], str | None]


@dataclass(frozen=True)
class Difference:
    """A construct: how it looks, what it did there, what it does here and why; `look` says which part of a file it is.

    `look` gets each sight of a file, and answers with words for what it has seen, or None.
    """

    construct: str
    there: str
    here: str
    why: str
    look: Look


@dataclass(frozen=True)
class Quirk:
    """A place of a file that relies on a difference."""

    position: Position
    what: str
    there: str
    here: str


def quirks(root: Element, spec: Spec) -> list[Quirk]:
    """Every place of a file, in the file's order.

    Args:
        root: the file, with its variables filled in.
        spec: what a configuration may hold.
    """
    found = [
        Quirk(sight.position, what, one.there, one.here)
        for sight in sights(root, spec)
        for one in DIFFERENCES
        if (what := one.look(sight))
    ]
    return sorted(dict.fromkeys(found), key=lambda quirk: quirk.position)


def _misread(sight: Sight) -> str | None:
    if isinstance(sight, Value) and not sight.is_readable and "#{" not in sight.text:
        return f'{sight.what}: "{sight.text}"' + (f" (when unsaid: {sight.unsaid})" if sight.unsaid else "")
    if isinstance(sight, Written) and sight.text("field").upper() in YES_OR_NO:
        value = sight.text("value")
        if value and not _BOOLEAN.fullmatch(value):
            return f'<{sight.element.name} field="{sight.text("field")}">: "{value}"'
    return None


def _unknown_placeholder(sight: Sight) -> str | None:
    if not isinstance(sight, Value) or sight.is_readable or "#{" not in sight.text:
        return None
    return f'{sight.what}: "{sight.text}"'


def _false_by_another_word(sight: Sight) -> str | None:
    if not isinstance(sight, Value) or sight.kind is not BOOLEAN or sight.value is not False:
        return None
    return None if sight.text.lower() == "false" else f'{sight.what}: "{sight.text}"'


def _any_text_is_true(sight: Sight) -> str | None:
    if not isinstance(sight, Written) or sight.name != "converttopng":
        return None
    text = sight.element.text.strip()
    return f'<ConvertToPNG>: "{text}"' if text and not _BOOLEAN.fullmatch(text) else None


_BOOLEAN = re.compile("true|false|1|0|yes|no|on|off", re.IGNORECASE)


def _inside_a_longer_value(sight: Sight) -> str | None:
    # Folders and arguments of programs are filled in piece by piece there as well.
    if not isinstance(sight, Value) or not {"Save", "Run"}.isdisjoint(sight.path):
        return None
    template = getattr(sight.value, "template", sight.value)
    if not isinstance(template, Template) or len(template.parts) == 1:
        return None
    # Facts of the job are ours.
    filled = any(not isinstance(part, str) and part.kind != "fact" for part in template.parts)
    return f'{sight.what}: "{template.source}"' if filled else None


def _unknown(sight: Sight) -> str | None:
    return sight.what if isinstance(sight, Unknown) else None


def _other_letters(sight: Sight) -> str | None:
    return f'{sight.what}, which is "{sight.declared}"' if isinstance(sight, OtherLetters) else None


def _without_effect(sight: Sight) -> str | None:
    return sight.what if isinstance(sight, WithoutEffect) else None


def _undeclared(attribute: str, *nodes: str) -> Look:
    def look(sight: Sight) -> str | None:
        if not isinstance(sight, Written) or sight.name not in nodes:
            return None
        name = sight.text(attribute)
        return f'<{sight.element.name}>: {attribute}="{name}"' if name and name not in sight.actions else None

    return look


def _update(sight: Sight) -> str | None:
    if not isinstance(sight, Written) or sight.name != "update" or sight.text("field"):
        return None
    return f'<Update action="{sight.text("action")}">'


def _switch(sight: Sight) -> str | None:
    if not isinstance(sight, Written) or sight.name != "switch":
        return None
    field = sight.text("field")
    return None if field.upper() in ("", "CLIENT_HOST_NAME", "PRINTED_FILE_NAME") else f'<Switch field="{field}">'


def _refused(sight: Sight) -> str | None:
    if not isinstance(sight, Written) or "workflow" not in sight.holders:
        return None
    if sight.name == "resume":
        return "<Resume>"
    field = sight.text("field")
    if sight.name == "update" and field:
        return f'<Update field="{field}">'
    return f'field="{field}"' if field.upper() in REFUSED_FIELDS else None


def _policy_on_a_definition(sight: Sight) -> str | None:
    if not isinstance(sight, Written) or not sight.holders or sight.holders[-1] not in ACTIONS:
        return None
    for name in ("onError", "mandatory") if sight.name == "notify" else ("onError",):
        if sight.text(name):
            return f'{name}="{sight.text(name)}" on <{sight.element.name}>'
    return None


def _watched_folder(sight: Sight) -> str | None:
    return "<DropMonitor>" if isinstance(sight, Written) and sight.name == "dropmonitor" else None


def _no_message(sight: Sight) -> str | None:
    if not isinstance(sight, Written) or sight.name != "notify" or sight.element.find("Message") is not None:
        return None
    return "<Notify> without a <Message>"


def _named_only(*names: str) -> Look:
    def look(sight: Sight) -> str | None:
        return f"<{sight.path[-1]}>" if isinstance(sight, Value) and sight.path[-1] in names and sight.text else None

    return look


def _of_windows(sight: Sight) -> str | None:
    return _path(sight, "ImagePath", "Directory", "Path", "Command") if _is_path(sight, _WINDOWS) else None


def _relative(sight: Sight) -> str | None:
    return _path(sight, "ImagePath", "Directory") if _is_path(sight, _INSIDE) else None


def _relative_program(sight: Sight) -> str | None:
    return _path(sight, "Command") if _is_path(sight, _INSIDE) and "/" in sight.text else None


def _is_path(sight: Sight, pattern: re.Pattern[str]) -> TypeGuard[Value]:
    return isinstance(sight, Value) and bool(pattern.match(sight.text))


def _path(sight: Value, *names: str) -> str | None:
    return f'<{sight.path[-1]}>: "{sight.text}"' if sight.path[-1] in names else None


_WINDOWS = re.compile(r"[A-Za-z]:[\\/]|[^/]*\\")
_INSIDE = re.compile(r"(?![A-Za-z]:[\\/]|[^/]*\\)[^/#~]")

DIFFERENCES = (
    Difference(
        'a value that cannot be read: `<Angle>45</Angle>`, `type="Worklsit"`',
        "ignored without a word, and what counts when nothing is said counted",
        "the file is refused",
        "a typo must not decide what happens to a patient's images",
        _misread,
    ),
    Difference(
        "a flag that is off by another word than `false`: `0`, `no`, `off`",
        "any text but false was true",
        "false",
        "the conditions of the same files write 0 for false",
        _false_by_another_word,
    ),
    Difference(
        "`<ConvertToPNG>maybe</ConvertToPNG>`",
        "any text but false was true",
        "true, with a warning",
        "the file goes on doing what it did",
        _any_text_is_true,
    ),
    Difference(
        "an unknown element or attribute",
        "ignored without a word",
        "the file is refused, with the nearest name",
        "it is a typo, or a wish that nobody fulfils",
        _unknown,
    ),
    Difference(
        "a name in other capital or small letters",
        "names counted in their exact letters, so it may have been passed over",
        "it counts",
        "two dialects spell the same names differently",
        _other_letters,
    ),
    Difference(
        'an action\'s name that is not declared: `<Perform action="SendToPacs"/>`',
        "the node was passed over without a word",
        "the file is refused, with the nearest name",
        "a job that is never stored would end as done",
        _undeclared("action", "perform", "update"),
    ),
    Difference(
        '`<Suspend resumeAction="…"/>` with a name that is not declared',
        "passed over without a word",
        "the file is refused",
        "the job could not go on anywhere",
        _undeclared("resumeAction", "suspend"),
    ),
    Difference(
        "a placeholder inside a longer value: `Scan of #{PatientID}`",
        "only a value that was nothing but a placeholder was filled in; this text stayed as it stands",
        "filled in, anywhere and several in one value",
        "a literal #{…} is no good in any object",
        _inside_a_longer_value,
    ),
    Difference(
        "a placeholder that does not exist: `#{Patientname2}`",
        "the text stayed as it stands",
        "the file is refused, with the nearest name",
        "a literal #{…} is no good in any object",
        _unknown_placeholder,
    ),
    Difference(
        "`<Update>`",
        "changed the Print for all later jobs as well",
        "for this job alone",
        "a job must not depend on which job ran before it",
        _update,
    ),
    Difference(
        "`<Switch>` of another field",
        "knew CLIENT_HOST_NAME and PRINTED_FILE_NAME only",
        "takes every field that an If takes",
        "one list of fields is easier to know",
        _switch,
    ),
    Difference(
        "`<Resume>`, `<Update field=…>`, the fields `VALIDATION_FAILED` and `EXCEPTION_OCCURRED`",
        "known to older versions",
        "the file is refused, with what to write instead",
        "an action that fails never goes on to the next condition: onError says what happens",
        _refused,
    ),
    Difference(
        "`onError`, or `mandatory` of a Notify, on an action's definition",
        "older versions obeyed it, newer ones look at the Perform alone",
        "the policy of a Perform that names none, with a warning",
        "the careful reading of both",
        _policy_on_a_definition,
    ),
    Difference(
        "`<Notify>` without a `<Message>`",
        "older versions had none",
        "the text is the action's name and the job's",
        "older files go on working",
        _no_message,
    ),
    Difference(
        "`<Illumination>`, `<ReflectedAmbientLight>`, `<AnnotationDisplayFormatId>` of a Print",
        "never sent",
        "sent where the printer takes a Presentation LUT, or Annotation Boxes",
        "the file asks for it; printers without these would answer 0105 or 0106",
        _named_only("Illumination", "ReflectedAmbientLight", "AnnotationDisplayFormatId"),
    ),
    Difference(
        "`<DropMonitor>`",
        "its folder was watched",
        "loads, and its folder is not watched: drop into spool/incoming in the base directory",
        "one folder, with the same promises for every file",
        _watched_folder,
    ),
    Difference(
        "what loads without effect: `<MagnificationFactor>`, `<RegistrationKey>`, `<Debug>`, `type` of a SetTag …",
        "may have had an effect",
        "none; a warning of check says why",
        "it belongs to the incumbent's own workings, or to no part of the standard",
        _without_effect,
    ),
    Difference(
        "a path of Windows: `C:\\logos\\clinic.png`",
        "a folder of that machine",
        "found on Windows alone",
        "a path belongs to one system; ${VARIABLE} keeps it out of the file",
        _of_windows,
    ),
    Difference(
        "a path that does not begin at the root: `logos/clinic.png`",
        "looked for from where the incumbent was started",
        "an ImagePath begins beside the configuration, a Directory at the base directory",
        "a service starts elsewhere than a command",
        _relative,
    ),
    Difference(
        "the same of a program: `tools/lookup.exe`",
        "looked for from where the incumbent was started",
        "a program is a whole path, or a bare name that PATH finds",
        "it runs in an empty folder of its own",
        _relative_program,
    ),
)
