"""What goes between the decoder and its child: lines of JSON, so that nothing a child says can run here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from dicomprinter.errors import DicomPrinterError, InputError, OperatorNeeded, PermanentError, TransientError

_ERRORS: Final = {kind.__name__: kind for kind in (InputError, OperatorNeeded, PermanentError, TransientError)}


RELEASED: Final = b"\n"
"""Follows the bytes of an answer, once the child has freed them."""


def line(message: Mapping[str, Any]) -> bytes:
    """A message as one line."""
    return json.dumps(message).encode() + b"\n"


def error_to_message(error: DicomPrinterError) -> dict[str, str]:
    """An error with all its fields."""
    return {
        "error": type(error).__name__,
        "what": error.what,
        "cause": error.cause,
        "remedy": error.remedy,
        "private": error.private,
    }


def error_from_message(message: Mapping[str, Any]) -> DicomPrinterError:
    """The same error again."""
    kind = _ERRORS.get(str(message["error"]), PermanentError)
    return kind(
        str(message["what"]),
        cause=str(message["cause"]),
        remedy=str(message["remedy"]),
        private=str(message["private"]),
    )
