"""Real programs from outside: where they are, which Debian package brings them, how they are started."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

# A virtual environment may hold scripts of the same names, so PATH is not asked.
_FOLDERS = ("/usr/bin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/opt/homebrew/bin")
PACKAGES = {
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf": "fonts-dejavu-core",
    "/usr/share/fonts/truetype/liberation/LiberationMono-Regular.ttf": "fonts-liberation",
    "Orthanc": "orthanc",
    "cupsd": "cups",
    "curl": "curl",
    "faketime": "faketime",
    "dbus-daemon": "dbus",
    "dciodvfy": "dicom3tools",
    "gdcmconv": "libgdcm-tools",
    "gdcminfo": "libgdcm-tools",
    "ipptool": "cups-ipp-utils",
    "jbgtopbm": "jbigkit-bin",
    "lp": "cups-client",
    "notify-send": "libnotify-bin",
    "openssl": "openssl",
    "node": "nodejs",
    "npm": "npm",
    "opj_decompress": "libopenjp2-tools",
    "pdftotext": "poppler-utils",
    "pngtopnm": "netpbm",
    "ppmtobmp": "netpbm",
    "qpdf": "qpdf",
    "setpriv": "util-linux",
    "strace": "strace",
    "systemd-analyze": "systemd",
    "systemd-sysusers": "systemd",
    "systemd-tmpfiles": "systemd",
    "tesseract": "tesseract-ocr",
}


def program(name: str) -> str:
    """The full path of a program, or of a file by its own; without it the test is skipped, or fails where CI is set."""
    path = name if name.startswith("/") and Path(name).exists() else shutil.which(name, path=os.pathsep.join(_FOLDERS))
    if path is not None:
        return path
    raise _missing(name, PACKAGES.get(name, "dcmtk"))


def document(path: str, package: str) -> Path:
    """A file that a Debian package brings; without it as `program`."""
    if Path(path).exists():
        return Path(path)
    raise _missing(path, package)


def _missing(what: str, package: str) -> BaseException:
    reason = f"{what} is missing: install the Debian package {package}"
    return (pytest.fail if os.environ.get("CI") else pytest.skip).Exception(reason)
