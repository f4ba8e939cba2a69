"""Whether every part of the service still works: what a watchdog's sign of life depends on."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from dicomprinter.engine.engine import Engine
    from dicomprinter.intake.incoming import Incoming

# The scheduler comes round every second. The watcher may wait for the decoder, whose calls have limits of their own.
SCHEDULER_SECONDS: Final = 60.0
WATCHER_SECONDS: Final = 900.0


def find_fault(engine: Engine, incoming: Incoming) -> str:
    """What of a running service does not work any more; empty when all is well.

    Every thread has to live, the scheduler has to come round, the watcher of incoming files has to come from one file
    to the next. A worker may take as long as its node does: an archive that takes an hour is no fault of the service.
    """
    for thread in (*engine.threads, *incoming.threads):
        if not thread.is_alive():
            return f"the thread {thread.name} has ended"
    now = time.monotonic()
    if now - engine.looked_at > SCHEDULER_SECONDS:
        return f"the scheduler has stood still for more than {SCHEDULER_SECONDS:g} s"
    busy_since = incoming.busy_since
    if busy_since is not None and now - busy_since > WATCHER_SECONDS:
        return f"the watcher of incoming files has stood still for more than {WATCHER_SECONDS:g} s"
    return ""
