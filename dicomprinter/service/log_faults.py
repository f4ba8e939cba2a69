"""Faults that nobody caught: they go to the log, which redacts, and not to standard error, which does not."""

from __future__ import annotations

import logging
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from dicomprinter.errors import DicomPrinterError

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOG = logging.getLogger("dicomprinter.service")


@contextmanager
def faults_to_log() -> Iterator[None]:
    """While this lasts, whatever ends this or another thread is an event; so is an exception while something is freed.

    Raises:
        DicomPrinterError: in place of a fault of this thread, whose text could hold a patient's values.
    """
    threads, freed = threading.excepthook, sys.unraisablehook
    threading.excepthook, sys.unraisablehook = _thread_ended, _not_freed
    try:
        yield
    except (DicomPrinterError, OSError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, its text must not reach the screen
        _LOG.critical("the service ends by a fault of the program", exc_info=True)
        raise DicomPrinterError(
            f"a fault of the program ({type(error).__name__})", remedy="report it with the log"
        ) from None
    finally:
        threading.excepthook, sys.unraisablehook = threads, freed


def _thread_ended(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value is not None and not isinstance(ended.exc_value, SystemExit):
        info = (ended.exc_type, ended.exc_value, ended.exc_traceback)
        name = ended.thread.name if ended.thread else "unknown"
        _LOG.critical("the thread %s ended by a fault of the program", name, exc_info=info)


def _not_freed(fault: sys.UnraisableHookArgs) -> None:
    if fault.exc_value is not None:
        info = (fault.exc_type, fault.exc_value, fault.exc_traceback)
        _LOG.error("a fault while something was freed", exc_info=info)
