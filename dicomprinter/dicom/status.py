"""What a peer's status means: in words, why, and what to do (PS3.7 Annex C, PS3.4 GG.4.2, C.4.1.1.4 and H.4)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final


class Kind(Enum):
    """What a status asks of the sender."""

    SUCCESS = "success"
    WARNING = "warning"
    DUPLICATE = "duplicate"
    TRANSIENT = "transient"
    PERMANENT = "permanent"


@dataclass(frozen=True)
class Status:
    """A status with its meaning; `str()` gives `A700 (out of resources)`."""

    code: int
    kind: Kind
    meaning: str
    cause: str = ""
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.code:04X} ({self.meaning})"

    @property
    def stored(self) -> bool:
        """Whether the peer holds the instance now: success or warning."""
        return self.kind in (Kind.SUCCESS, Kind.WARNING)


@dataclass(frozen=True)
class StoreResult:
    """The peer's answer to one C-STORE (PS3.7 9.1.1.2).

    Args:
        status: what it said, with its meaning.
        error_comment: (0000,0902); may hold patient data.
        offending: the tags of (0000,0901).
    """

    status: Status
    error_comment: str
    offending: tuple[int, ...]


_Row = tuple[range, Kind, str, str, str]

_LOG: Final = "look into the peer's log at this time"
_REPORT: Final = "the object was stored; compare it with the original if that matters"


def _one(code: int) -> range:
    return range(code, code + 1)


# The first row that holds the code wins: single codes stand before the ranges around them.
_GENERAL: Final[tuple[_Row, ...]] = (
    (_one(0x0000), Kind.SUCCESS, "success", "", ""),
    (
        _one(0x0105),
        Kind.PERMANENT,
        "no such attribute",
        "the request names an attribute that the peer does not know",
        _LOG,
    ),
    (
        _one(0x0106),
        Kind.PERMANENT,
        "invalid attribute value",
        "a value is outside what the peer allows",
        "correct the value; the peer may name the attribute",
    ),
    (
        _one(0x0107),
        Kind.WARNING,
        "attribute list error",
        "the peer did not recognise some attributes",
        _REPORT,
    ),
    (
        _one(0x0110),
        Kind.TRANSIENT,
        "processing failure",
        "the peer met an error of its own",
        f"try again later; {_LOG} if it stays",
    ),
    (
        _one(0x0111),
        Kind.DUPLICATE,
        "duplicate SOP instance",
        "the peer holds an instance with this UID already",
        "look on the peer whether it is this instance; nothing else may carry its UID",
    ),
    (
        _one(0x0112),
        Kind.PERMANENT,
        "no such SOP instance",
        "the request names an instance that the peer does not hold",
        _LOG,
    ),
    (_one(0x0115), Kind.PERMANENT, "invalid argument value", "the peer refuses a value of the request", _LOG),
    (
        _one(0x0116),
        Kind.WARNING,
        "attribute value out of range",
        "the peer found a value out of its range and may have changed it",
        _REPORT,
    ),
    (
        _one(0x0117),
        Kind.PERMANENT,
        "invalid SOP instance UID",
        "the UID breaks the rules for UIDs, or the peer's own",
        "correct the UID; a forwarded file brings its own",
    ),
    (
        _one(0x0118),
        Kind.PERMANENT,
        "no such SOP class",
        "the peer does not know this kind of object",
        "ask the peer's administrator to allow the SOP class",
    ),
    (
        _one(0x0119),
        Kind.PERMANENT,
        "class and instance conflict",
        "the peer holds this UID as another kind of object",
        "the object needs a UID of its own",
    ),
    (
        _one(0x0120),
        Kind.PERMANENT,
        "missing attribute",
        "an attribute that the peer requires is not there",
        "give the attribute a value; the peer may name it",
    ),
    (
        _one(0x0121),
        Kind.PERMANENT,
        "missing attribute value",
        "an attribute that the peer requires is empty",
        "give the attribute a value; the peer may name it",
    ),
    (
        _one(0x0122),
        Kind.PERMANENT,
        "SOP class not supported",
        "the peer does not take this kind of object or query",
        "ask the peer's administrator to allow the SOP class",
    ),
    (
        _one(0x0124),
        Kind.PERMANENT,
        "not authorised",
        "the peer does not allow this to our AE title",
        "ask the peer's administrator to allow our AE title",
    ),
    (_one(0x0210), Kind.PERMANENT, "duplicate invocation", "the peer saw the message ID in use", _LOG),
    (_one(0x0211), Kind.PERMANENT, "unrecognised operation", "the peer does not know the request", _LOG),
    (_one(0x0212), Kind.PERMANENT, "mistyped argument", "the peer could not read the request", _LOG),
    (
        _one(0x0213),
        Kind.TRANSIENT,
        "resource limitation",
        "the peer is short of resources",
        "try again later; the peer may be busy or its disk full",
    ),
)

_STORE: Final[tuple[_Row, ...]] = (
    *_GENERAL,
    (
        range(0xA700, 0xA800),
        Kind.TRANSIENT,
        "out of resources",
        "the peer is busy or its disk is full",
        "try again later; ask the peer's administrator about space if it stays",
    ),
    (
        range(0xA900, 0xAA00),
        Kind.PERMANENT,
        "data set does not match its SOP class",
        "the peer misses attributes, or finds wrong ones, for this kind of object",
        f"{_LOG}: it may name the attribute",
    ),
    (_one(0xB000), Kind.WARNING, "some values were changed", "the peer coerced attributes to its own", _REPORT),
    (
        _one(0xB006),
        Kind.WARNING,
        "some elements were discarded",
        "the peer keeps only the elements that it knows",
        _REPORT,
    ),
    (
        _one(0xB007),
        Kind.WARNING,
        "data set does not match its SOP class",
        "the peer stored it although attributes are missing or wrong",
        _REPORT,
    ),
    (range(0xB000, 0xC000), Kind.WARNING, "stored with a warning of the peer's own", "see the peer's log", _REPORT),
    (
        range(0xC000, 0xD000),
        Kind.PERMANENT,
        "cannot understand",
        "the peer could not read the object, or refuses it by a rule of its own",
        f"{_LOG}: the last three digits are its own",
    ),
)

_FIND: Final[tuple[_Row, ...]] = (
    *(row for row in _GENERAL if row[1] is not Kind.DUPLICATE),
    (
        range(0xA700, 0xA800),
        Kind.TRANSIENT,
        "out of resources",
        "the peer is busy, or the query matches too much",
        "try again later, or ask for less",
    ),
    (
        range(0xA900, 0xAA00),
        Kind.PERMANENT,
        "identifier does not match the SOP class",
        "a key is missing, or is not allowed at this level",
        "check the query's level and its unique keys",
    ),
    (
        range(0xC000, 0xD000),
        Kind.PERMANENT,
        "unable to process",
        "the peer could not read the query, or refuses it by a rule of its own",
        f"check the query's values; {_LOG}",
    ),
    (
        _one(0xFE00),
        Kind.TRANSIENT,
        "cancelled",
        "the peer ended the query before all answers were sent",
        "try again later",
    ),
)

_DENSITY: Final = "correct MinDensity and MaxDensity, or the calibration of the printer"
_SIZE: Final = "print smaller pages, say Resolution, or choose a layout with larger images"
_SEEN: Final = "look at the film"

# Of a printer (PS3.4 H.4.1.2 to H.4.9.1): what was printed with a warning is printed.
_PRINT: Final[tuple[_Row, ...]] = (
    (
        _one(0x0107),
        Kind.WARNING,
        "attribute list error",
        "the printer does not know some attributes and does without them",
        "leave them out of the action; the printer may name them",
    ),
    (
        _one(0x0110),
        Kind.PERMANENT,
        "processing failure",
        "the printer met an error of its own",
        f"{_LOG}, then send the job on",
    ),
    (
        _one(0x0116),
        Kind.WARNING,
        "attribute value out of range",
        "the printer found a value out of its range and took one of its own",
        "correct the value; the printer may name the attribute",
    ),
    (
        _one(0x0213),
        Kind.PERMANENT,
        "resource limitation",
        "the printer cannot hold what the job asks for",
        "print fewer or smaller pages on a film, or ask for more memory in the printer",
    ),
    (
        _one(0x0111),
        Kind.PERMANENT,
        "duplicate SOP instance",
        "the printer still holds a session or film of this UID",
        f"try again; {_LOG} if it stays",
    ),
    *(row for row in _GENERAL if row[1] not in (Kind.DUPLICATE, Kind.WARNING)),
    (
        _one(0xB600),
        Kind.WARNING,
        "memory allocation not supported",
        "the printer sets no memory aside",
        "leave MemoryAllocation out of the action",
    ),
    (_one(0xB602), Kind.PERMANENT, "empty page", "no film of the session holds an image", _LOG),
    (_one(0xB603), Kind.PERMANENT, "empty page", "the film holds no image", _LOG),
    (_one(0xB604), Kind.WARNING, "image made smaller", "it was larger than its place on the film", _SEEN),
    (_one(0xB605), Kind.WARNING, "density out of range", "the printer took a density of its own", _DENSITY),
    (_one(0xB609), Kind.WARNING, "image cropped", "it was larger than its place on the film", _SEEN),
    (_one(0xB60A), Kind.WARNING, "image decimated", "it was larger than its place on the film", _SEEN),
    (_one(0xC600), Kind.PERMANENT, "session without a film", "the printer finds no film in the session", _LOG),
    (_one(0xC601), Kind.TRANSIENT, "print queue full", "the printer has other work", "try again later"),
    (_one(0xC602), Kind.TRANSIENT, "print queue full", "the printer has other work", "try again later"),
    (_one(0xC603), Kind.PERMANENT, "image too large", "it is larger than its place on the film", _SIZE),
    (_one(0xC605), Kind.TRANSIENT, "printer's memory full", "the printer has other work", "try again later"),
    (_one(0xC613), Kind.PERMANENT, "images too large", "together they are larger than their place on the film", _SIZE),
    (
        _one(0xC616),
        Kind.PERMANENT,
        "film not printed yet",
        "the printer holds a film that was begun and takes one at a time",
        _LOG,
    ),
)


def _look_up(code: int, table: tuple[_Row, ...]) -> Status:
    for codes, kind, meaning, cause, remedy in table:
        if code in codes:
            return Status(code, kind, meaning, cause, remedy)
    return Status(
        code,
        Kind.PERMANENT,
        f"unknown status 0x{code:04X}",
        "neither the standard nor this program knows this number",
        "look for it in the peer's conformance statement",
    )


def store_status(code: int) -> Status:
    """What the answer to a C-STORE means (PS3.4 GG.4.2, PS3.7 C.5); an unknown code is permanent."""
    return _look_up(code, _STORE)


def find_status(code: int) -> Status:
    """What the final answer to a C-FIND means (PS3.4 C.4.1.1.4, K.4.1.1.4); an unknown code is permanent.

    A warning is a failure here: only 0000 says that all answers came (PS3.7 9.1.2.1.5).
    """
    found = _look_up(code, _FIND)
    return found if found.kind is not Kind.WARNING else Status(code, Kind.PERMANENT, found.meaning, found.cause, _LOG)


def echo_status(code: int) -> Status:
    """What the answer to a C-ECHO means (PS3.7 9.1.5.1.4)."""
    return _look_up(code, _GENERAL)


def print_status(code: int) -> Status:
    """What a printer's answer to any request means (PS3.4 H.4, PS3.7 C.4 and C.5); an unknown code is permanent."""
    return _look_up(code, _PRINT)
