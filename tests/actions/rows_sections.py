"""Rows for General and DropMonitor."""

from __future__ import annotations

from datetime import timedelta

from dicomprinter.imaging.limits import Limits
from tests.actions.row import Row, elements


def file(section: str) -> str:
    return f"<DicomPrinter>{section}<Actions/><Workflow/></DicomPrinter>"


def general(inner: str) -> str:
    return file(f"<General>{inner}</General>")


def monitor(inner: str) -> str:
    return file(f"<DropMonitor>{inner}</DropMonitor>")


MEGABYTE = 1 << 20
NOTHING = file("")
DEFAULTS = (
    ("checking_interval", timedelta(seconds=1)),
    ("suspension_time", timedelta(minutes=15)),
    ("validity_period", timedelta(days=5)),
    ("verbosity", 35),
    ("redact", True),
    ("log_size", 50 * MEGABYTE),
    ("log_count", 10),
)

GENERAL = [
    *(Row("no DicomPrinter/General", NOTHING, f"general.{field}", value) for field, value in DEFAULTS),
    *(Row("DicomPrinter/General", general(""), f"general.{field}", value) for field, value in DEFAULTS),
    *elements(
        "General",
        general,
        "general.",
        ("CheckingInterval", "5", "checking_interval", timedelta(seconds=5)),
        ("CheckingInterval<checkinginterval", "0.5", "checking_interval", timedelta(milliseconds=500)),
        ("SuspensionTime", "0.5", "suspension_time", timedelta(seconds=30)),
        ("SuspensionTime", "0", "suspension_time", timedelta(0)),
        ("ValidityPeriod", "14", "validity_period", timedelta(days=14)),
        ("ValidityPeriod", "0.5", "validity_period", timedelta(hours=12)),
        ("Verbosity", "1", "verbosity", 1),
        ("Verbosity", "35", "verbosity", 35),
        *(("RedactSensitiveLogValues", word, "redact", True) for word in ("true", "1", "YES", "on")),
        *(("RedactSensitiveLogValues", word, "redact", False) for word in ("False", "0", "no", "off")),
        ("MaximumLogFileSize", "50", "log_size", 50 * MEGABYTE),
        ("MaximumLogFileSize", "5M", "log_size", 5 * MEGABYTE),
        ("MaximumLogFileSize", "5 MB", "log_size", 5 * MEGABYTE),
        ("MaximumLogFileSize", "2048k", "log_size", 2 * MEGABYTE),
        ("MaximumLogFileSize", "2048KB", "log_size", 2 * MEGABYTE),
        ("MaximumLogFileSize", "1G", "log_size", 1024 * MEGABYTE),
        ("MaximumLogFileSize", "1GB", "log_size", 1024 * MEGABYTE),
        ("MaximumLogFileSize", "512K", "log_size", MEGABYTE, "less than 1 MB"),
        ("MaximumLogFileCount", "2", "log_count", 2),
        ("MaximumPixels", "1000", "limits", Limits(pixels=1000)),
        ("MaximumSide", "100", "limits", Limits(side=100)),
        ("MaximumPages", "7", "limits", Limits(pages=7)),
        ("MaximumFileSize", "3", "limits", Limits(bytes=3 * MEGABYTE)),
        ("MaximumTextSize", "5K", "limits", Limits(text=5 << 10)),
        ("MaximumDecodingTime", "1.5", "decoding_seconds", 1.5),
        ("RegistrationKey", "abc", "log_count", 10, "<RegistrationKey> has no effect"),
        ("SpoolDirectory", "C:\\spool", "log_count", 10, "<SpoolDirectory> has no effect"),
    ),
]

DROPPED = (
    ("path", None),
    ("convert_to_png", False),
    ("montage", False),
    ("pdf_raster_dpi", 300),
    ("pdf_conversion_timeout", timedelta(seconds=5)),
    ("path_separator", "/"),
    ("retry_interval", timedelta(seconds=5)),
    ("max_retry_attempts", 3),
    ("text_file_encoding", "utf-8"),
)

DROP_MONITOR = [
    Row("no DicomPrinter/DropMonitor", NOTHING, "drop_monitor", None),
    *(Row("DicomPrinter/DropMonitor", monitor(""), f"drop_monitor.{field}", value) for field, value in DROPPED),
    *elements(
        "DropMonitor",
        monitor,
        "drop_monitor.",
        ("Path", " /srv/drop ", "path", "/srv/drop"),
        ("ConvertToPNG", "true", "convert_to_png", True),
        ("ConvertToPNG", "0", "convert_to_png", False),
        ("ConvertToPNG", "", "convert_to_png", False),
        ("ConvertToPNG<ConvertToPng", "please", "convert_to_png", True, '"please" is taken for true; write true'),
        ("Montage", "yes", "montage", True),
        ("PdfRasterDpi", "150", "pdf_raster_dpi", 150),
        ("PdfConversionTimeoutMs", "2500", "pdf_conversion_timeout", timedelta(milliseconds=2500)),
        ("PathSeparator", " - ", "path_separator", " - "),
        ("RetryIntervalSeconds", "2.5", "retry_interval", timedelta(milliseconds=2500)),
        ("MaxRetryAttempts", "0", "max_retry_attempts", 0),
        ("TextFileEncoding", "Windows-1252", "text_file_encoding", "cp1252"),
        *(
            (name, "x", "pdf_raster_dpi", 300, f"<{name}> has no effect")
            for name in ("Layout", "LineEndings", "MetadataEncoding", "MetadataOutputFormat", "MetadataInputEncoding")
        ),
    ),
]

ROWS = [*GENERAL, *DROP_MONITOR]
