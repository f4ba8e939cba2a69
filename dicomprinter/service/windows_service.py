"""What Windows starts as the service: `python -m dicomprinter.service.windows_service NAME`.

Only on Windows, with pywin32. Windows wants to hear of a service within 30 seconds of its start: so nothing that takes
long is imported before that.
"""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, Final

import servicemanager
import win32service
import win32serviceutil

from dicomprinter.errors import DicomPrinterError
from dicomprinter.service.orders import Order, Orders

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicomprinter.service.installation import Installation

_START_MILLISECONDS, _STOP_MILLISECONDS = 120_000, 30_000
_PERIOD = 10.0
WATCHDOG_SECONDS: Final = 60.0


class Hosted(win32serviceutil.ServiceFramework):
    """Says to Windows what the service does, and to the service what Windows wants."""

    _svc_name_ = "dicomprinter"

    def __init__(self, arguments: Sequence[str]) -> None:
        self._svc_name_ = arguments[0]
        self.orders = Orders()
        super().__init__(arguments)

    def SvcStop(self) -> None:  # noqa: N802 - pywin32's name
        """Windows wants it to stop."""
        self.ReportServiceStatus(win32service.SERVICE_STOP_PENDING, _STOP_MILLISECONDS)
        self.orders.give(Order.STOP)

    def SvcShutdown(self) -> None:  # noqa: N802 - pywin32's name
        """Windows ends."""
        self.SvcStop()

    def SvcRun(self) -> None:  # noqa: N802 - pywin32's name
        """Run until it is stopped; Windows hears that it runs once it watches its folder."""
        self.ReportServiceStatus(win32service.SERVICE_START_PENDING, _START_MILLISECONDS)
        try:
            self.SvcDoRun()
        except DicomPrinterError as error:
            servicemanager.LogErrorMsg(str(error))
            # What pywin32 makes of an exception lets Windows start the service anew.
            raise RuntimeError("the service has ended") from None
        except Exception:  # noqa: BLE001 - what it says could hold a patient's values, where it was does not
            from dicomprinter.service.redaction import places  # noqa: PLC0415 - takes long

            servicemanager.LogErrorMsg("\n".join(["a fault of the program", *places(sys.exc_info())]))
            raise RuntimeError("the service has ended") from None
        self.ReportServiceStatus(win32service.SERVICE_STOP_PENDING, _STOP_MILLISECONDS)

    def SvcDoRun(self) -> None:  # noqa: N802 - pywin32's name
        """The service itself."""
        from dicomprinter.service.serve import Service  # noqa: PLC0415 - takes long

        found = installation(self._svc_name_)
        supervisor = WindowsSupervisor(self)
        try:
            Service(found.base, found.config, found.log_dir, found.workers, screen=False, supervisor=supervisor).run(
                self.orders
            )
        finally:
            supervisor.end()


class WindowsSupervisor:
    """Windows watches over a process alone: so a thread ends this one when it stands still.

    Windows starts it anew then.

    Args:
        hosted: says to Windows how the service stands.
        watchdog: seconds without a sign of life after which this process ends.
    """

    period: float | None = _PERIOD

    def __init__(self, hosted: Hosted, watchdog: float = WATCHDOG_SECONDS) -> None:
        self._hosted = hosted
        self._watchdog = watchdog
        self._is_over = False
        self._sign = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def ready(self, text: str) -> None:
        """It runs, and is watched from now on."""
        if not self._thread.is_alive():
            self._thread.start()
        self._hosted.ReportServiceStatus(win32service.SERVICE_RUNNING)
        servicemanager.LogInfoMsg(text)

    def reloading(self) -> None:
        """Windows does not ask for it."""

    def alive(self) -> None:
        """A sign of life."""
        self._sign.set()

    def lost(self, why: str) -> None:
        """The signs of life end, and with them this process."""
        servicemanager.LogErrorMsg(f"{why}; the service is started anew")

    def stopping(self) -> None:
        """It stops in order, for which Windows has a limit of its own."""
        self.end()
        self._hosted.ReportServiceStatus(win32service.SERVICE_STOP_PENDING, _STOP_MILLISECONDS)

    def end(self) -> None:
        """Nobody watches any more."""
        self._is_over = True
        self._sign.set()

    def _watch(self) -> None:
        while self._sign.wait(self._watchdog):
            self._sign.clear()
            if self._is_over:
                return
        _end_this_process()


def installation(name: str) -> Installation:
    """What this service was installed with. Raises DicomPrinterError when the registry does not say."""
    from dicomprinter.service.windows import Windows  # noqa: PLC0415 - takes long

    found = Windows.open().installed(name)
    if found is None:
        raise DicomPrinterError(
            f"the registry does not say what the service {name} was installed with",
            remedy="`dicomprinter service install` writes it anew",
        )
    return found


def _end_this_process() -> None:
    # Not sys.exit: that would wait for what stands still.
    os._exit(1)


def main(arguments: Sequence[str]) -> None:
    """Hand this process over to Windows until the service has stopped."""
    servicemanager.Initialize(arguments[0], servicemanager.__file__)
    servicemanager.PrepareToHostSingle(Hosted)
    servicemanager.StartServiceCtrlDispatcher()


if __name__ == "__main__":
    main(sys.argv[1:])
