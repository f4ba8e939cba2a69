"""Each construct that a file may rely on and that means another thing here: what it did there, what it does here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dicomprinter.cli.quirks import looks
from dicomprinter.cli.quirks.sights import sights

if TYPE_CHECKING:
    from dicomprinter.cli.quirks.looks import Look
    from dicomprinter.config.spec import Spec
    from dicomprinter.config.tree import Element, Position


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


DIFFERENCES = (
    Difference(
        'a value that cannot be read: `<Angle>45</Angle>`, `type="Worklsit"`',
        "ignored without a word, and what counts when nothing is said counted",
        "the file is refused",
        "a typo must not decide what happens to a patient's images",
        looks.misread,
    ),
    Difference(
        'a tag that the Store makes: `<SetTag tag="0008,0018">`, UIDs of class and instance, pixels, group 0002',
        "its documentation does not say",
        "the file is refused",
        "an object whose UID or pixels are another's is no good in any archive",
        looks.made_here,
    ),
    Difference(
        "a flag that is off by another word than `false`: `0`, `no`, `off`",
        "any text but false was true",
        "false",
        "the conditions of the same files write 0 for false",
        looks.false_by_another_word,
    ),
    Difference(
        "`<ConvertToPNG>maybe</ConvertToPNG>`",
        "any text but false was true",
        "true, with a warning",
        "the file goes on doing what it did",
        looks.any_text_is_true,
    ),
    Difference(
        "an unknown element or attribute",
        "ignored without a word",
        "the file is refused, with the nearest name",
        "it is a typo, or a wish that nobody fulfils",
        looks.unknown,
    ),
    Difference(
        "a name in other capital or small letters",
        "names counted in their exact letters, so it may have been passed over",
        "it counts",
        "two dialects spell the same names differently",
        looks.other_letters,
    ),
    Difference(
        'an action\'s name that is not declared: `<Perform action="SendToPacs"/>`',
        "the node was passed over without a word",
        "the file is refused, with the nearest name",
        "a job that is never stored would end as done",
        looks.undeclared("action", "perform", "update"),
    ),
    Difference(
        '`<Suspend resumeAction="…"/>` with a name that is not declared',
        "passed over without a word",
        "the file is refused",
        "the job could not go on anywhere",
        looks.undeclared("resumeAction", "suspend"),
    ),
    Difference(
        "a placeholder inside a longer value: `Scan of #{PatientID}`",
        "only a value that was nothing but a placeholder was filled in; this text stayed as it stands",
        "filled in, anywhere and several in one value",
        "a literal #{…} is no good in any object",
        looks.inside_a_longer_value,
    ),
    Difference(
        "a placeholder that does not exist: `#{Patientname2}`",
        "the text stayed as it stands",
        "the file is refused, with the nearest name",
        "a literal #{…} is no good in any object",
        looks.unknown_placeholder,
    ),
    Difference(
        "`<Update>`",
        "changed the Print for all later jobs as well",
        "for this job alone",
        "a job must not depend on which job ran before it",
        looks.update,
    ),
    Difference(
        "`<Switch>` of another field",
        "knew CLIENT_HOST_NAME and PRINTED_FILE_NAME only",
        "takes every field that an If takes",
        "one list of fields is easier to know",
        looks.switch,
    ),
    Difference(
        "`<Resume>`, `<Update field=…>`, the fields `VALIDATION_FAILED` and `EXCEPTION_OCCURRED`",
        "known to older versions",
        "the file is refused, with what to write instead",
        "an action that fails never goes on to the next condition: onError says what happens",
        looks.refused,
    ),
    Difference(
        "`onError`, or `mandatory` of a Notify, on an action's definition",
        "older versions obeyed it, newer ones look at the Perform alone",
        "the policy of a Perform that names none, with a warning",
        "the careful reading of both",
        looks.policy_on_a_definition,
    ),
    Difference(
        "`<Notify>` without a `<Message>`",
        "older versions had none",
        "the text is the action's name and the job's",
        "older files go on working",
        looks.no_message,
    ),
    Difference(
        "`<Illumination>`, `<ReflectedAmbientLight>`, `<AnnotationDisplayFormatId>` of a Print",
        "never sent",
        "sent where the printer takes a Presentation LUT, or Annotation Boxes",
        "the file asks for it; printers without these would answer 0105 or 0106",
        looks.named_only("Illumination", "ReflectedAmbientLight", "AnnotationDisplayFormatId"),
    ),
    Difference(
        "`<DropMonitor>`",
        "its folder was watched",
        "loads, and its folder is not watched: drop into spool/incoming in the base directory",
        "one folder, with the same promises for every file",
        looks.watched_folder,
    ),
    Difference(
        "what loads without effect: `<MagnificationFactor>`, `<RegistrationKey>`, `<Debug>`, `type` of a SetTag …",
        "may have had an effect",
        "none; a warning of check says why",
        "it belongs to the incumbent's own workings, or to no part of the standard",
        looks.without_effect,
    ),
    Difference(
        "a path of Windows: `C:\\logos\\clinic.png`",
        "a folder of that machine",
        "found on Windows alone",
        "a path belongs to one system; ${VARIABLE} keeps it out of the file",
        looks.of_windows,
    ),
    Difference(
        "a folder of Windows to save into: `C:\\archive`",
        "a folder of that machine",
        "the same on Windows; elsewhere it is made below the base directory, and check warns",
        "a path belongs to one system; ${VARIABLE} keeps it out of the file",
        looks.folder_of_windows,
    ),
    Difference(
        "a path that does not begin at the root: `logos/clinic.png`",
        "looked for from where the incumbent was started",
        "an ImagePath begins beside the configuration, a Directory at the base directory",
        "a service starts elsewhere than a command",
        looks.relative,
    ),
    Difference(
        "the same of a program: `tools/lookup.exe`",
        "looked for from where the incumbent was started",
        "looked for from the configuration's folder; a bare name is what PATH finds",
        "a service starts elsewhere than a command; a program runs in an empty folder of its own",
        looks.relative_program,
    ),
)
