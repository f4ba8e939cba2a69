"""The sections beside actions and workflow: General, and DropMonitor's watched folder."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from dicomprinter.config.kinds import BOOLEAN, NAME, TEXT, VERBATIM, Kind, decimal, integer
from dicomprinter.config.spec import Child, Spec, optional
from dicomprinter.config.tree import Element
from dicomprinter.imaging.limits import Limits

if TYPE_CHECKING:
    from dicomprinter.config.spec import Report
    from dicomprinter.config.tree import Node

_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
_SIZE = re.compile(r"([0-9]{1,9})\s*(?:([KMG])B?)?", re.IGNORECASE)
_MEGABYTE = 1 << 20
_LEAST_BYTES = 1 << 10


def _file_size(text: str) -> int:
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f'"{text}" is not a size; write 50, 50M, 512K or 1G')
    return int(match[1]) * _UNITS[(match[2] or "M").upper()]


def _check_size(node: Node, report: Report) -> None:
    if node.value < _MEGABYTE:
        report.warn(node.position, f'<{node.name}>: "{node.text}" is less than 1 MB', "1 MB is taken")


def _check_limit(node: Node, report: Report) -> None:
    if node.value < _LEAST_BYTES:
        report.error(node.position, f'<{node.name}>: "{node.text}" lets no file in', "write 512K, say")


def _check_validity(node: Node, report: Report) -> None:
    if node.value == 0:
        report.warn(
            node.position,
            "<ValidityPeriod>: with 0 every job that waits expires at once, also one that is to be tried again",
            "write the days that a job may wait, 5 say; dicomprinter jobs restore takes expired jobs back",
        )


def _encoding(text: str) -> str:
    try:
        # An encoding of text: codecs knows others, such as hex.
        "a".encode(text)
        return codecs.lookup(text).name
    except (LookupError, UnicodeError):
        raise ValueError(f'"{text}" is not an encoding; write utf-8 or windows-1252, say') from None


FILE_SIZE = Kind("a file size such as 50M", _file_size)
ENCODING = Kind("an encoding", _encoding)

GENERAL = Spec(
    "General",
    children=(
        optional("CheckingInterval", decimal(0.05, 86400), "seconds: the longest wait between looks at the spool; 1"),
        optional(
            "SuspensionTime",
            decimal(0, 525600),
            "minutes, decimals allowed: the wait of a suspended job, the longest one where a destination failed; 15",
        ),
        Child(
            Spec(
                "ValidityPeriod",
                text=decimal(0, 36500),
                checks=(_check_validity,),
                doc="days after which an unfinished job expires; 5",
            )
        ),
        optional("Verbosity", integer(1, 35), "how deep log detail goes; 35"),
        optional("RedactSensitiveLogValues", BOOLEAN, "whether patient data is kept out of logs; true"),
        Child(Spec("MaximumLogFileSize", text=FILE_SIZE, checks=(_check_size,), doc="a bare number is in MB; 50M")),
        optional("MaximumLogFileCount", integer(2), "how many log files are kept; 10"),
        optional("MaximumPixels", integer(1, 10**10), "of one page; 300000000"),
        optional("MaximumSide", integer(1, 65535), "rows or columns of one page; 65535"),
        optional("MaximumPages", integer(1, 10**6), "of one file; 5000"),
        Child(
            Spec(
                "MaximumFileSize", text=FILE_SIZE, checks=(_check_limit,), doc="of one file; a bare number is in MB; 2G"
            )
        ),
        Child(
            Spec(
                "MaximumTextSize", text=FILE_SIZE, checks=(_check_limit,), doc="of one text; a bare number is in MB; 1M"
            )
        ),
        optional("MaximumDecodingTime", decimal(1, 86400), "seconds for one page, or for a look at one file; 120"),
        optional("RegistrationKey", TEXT, ignored="this program needs no registration"),
        optional("SpoolDirectory", TEXT, ignored="the spool lies in the base directory: --base"),
    ),
    doc="times, ages, logs, and what one file may ask for",
)


@dataclass(frozen=True)
class General:
    """The section General, defaults filled in."""

    checking_interval: timedelta = timedelta(seconds=1)
    suspension_time: timedelta = timedelta(minutes=15)
    validity_period: timedelta = timedelta(days=5)
    verbosity: int = 35
    redact: bool = True
    log_size: int = 50 * _MEGABYTE
    log_count: int = 10
    limits: Limits = field(default_factory=Limits)
    decoding_seconds: float = 120.0

    @classmethod
    def read(cls, node: Node | None) -> Self:
        """Make it from the checked section, or from none."""
        if node is None:
            return cls()
        return cls(
            timedelta(seconds=node.content("CheckingInterval", 1.0)),
            timedelta(minutes=node.content("SuspensionTime", 15.0)),
            timedelta(days=node.content("ValidityPeriod", 5.0)),
            node.content("Verbosity", 35),
            node.content("RedactSensitiveLogValues", True),
            max(node.content("MaximumLogFileSize", 50 * _MEGABYTE), _MEGABYTE),
            node.content("MaximumLogFileCount", 10),
            read_limits(node),
            node.content("MaximumDecodingTime", 120.0),
        )


def read_limits(node: Node | None) -> Limits:
    """What one file may ask for, by the checked section or by none."""
    usual = Limits()
    if node is None:
        return usual
    return Limits(
        node.content("MaximumPixels", usual.pixels),
        node.content("MaximumSide", usual.side),
        node.content("MaximumPages", usual.pages),
        node.content("MaximumFileSize", usual.bytes),
        node.content("MaximumTextSize", usual.text),
    )


def _drop_dialect(element: Element, report: Report) -> None:
    """The incumbent takes any text but false for true."""
    convert = element.find("ConvertToPNG")
    text = convert.text.strip().lower() if convert else ""
    if convert and text not in ("true", "1", "yes", "on", "false", "0", "no", "off", ""):
        report.warn(
            convert.position, f'<ConvertToPNG>: "{convert.text.strip()}" is taken for true', "write true or false"
        )
        convert.text = "true"
    elif convert and text == "":
        convert.text = "false"


_NO_EFFECT = "texts and their metadata are read as they are"

DROP_MONITOR = Spec(
    "DropMonitor",
    children=(
        optional("Path", NAME, "the watched folder; drop in the base directory"),
        optional("ConvertToPNG", BOOLEAN, "whether pictures are turned into PNG first; false"),
        optional("Montage", BOOLEAN, "whether several pictures become one; false"),
        optional("PdfRasterDpi", integer(36, 1200), "the resolution of rendered PDF pages; 300"),
        optional("PdfConversionTimeoutMs", integer(1, 2**31 - 1), "milliseconds for a PDF to be turned; 5000"),
        optional("PathSeparator", VERBATIM, "between a subfolder and the file in a job's name; /"),
        optional("RetryIntervalSeconds", decimal(0, 86400), "before a file that cannot be read is tried again; 5"),
        optional("MaxRetryAttempts", integer(0), "how often; 3"),
        optional("TextFileEncoding", ENCODING, "how dropped texts are encoded; utf-8"),
        optional("Layout", TEXT, ignored=_NO_EFFECT),
        optional("LineEndings", TEXT, ignored=_NO_EFFECT),
        optional("MetadataEncoding", TEXT, ignored=_NO_EFFECT),
        optional("MetadataOutputFormat", TEXT, ignored=_NO_EFFECT),
        optional("MetadataInputEncoding", TEXT, ignored=_NO_EFFECT),
    ),
    dialect=_drop_dialect,
    doc="a watched folder beside the spool's own",
)


@dataclass(frozen=True)
class DropMonitor:
    """The section DropMonitor, defaults filled in."""

    path: str | None
    convert_to_png: bool
    montage: bool
    pdf_raster_dpi: int
    pdf_conversion_timeout: timedelta
    path_separator: str
    retry_interval: timedelta
    max_retry_attempts: int
    text_file_encoding: str

    @classmethod
    def read(cls, node: Node) -> Self:
        """Make it from the checked section."""
        return cls(
            node.content("Path"),
            node.content("ConvertToPNG", False),
            node.content("Montage", False),
            node.content("PdfRasterDpi", 300),
            timedelta(milliseconds=node.content("PdfConversionTimeoutMs", 5000)),
            node.content("PathSeparator", "/"),
            timedelta(seconds=node.content("RetryIntervalSeconds", 5.0)),
            node.content("MaxRetryAttempts", 3),
            node.content("TextFileEncoding", "utf-8"),
        )
