"""The list of faults: each against every network action, unless it can happen to one alone."""

from __future__ import annotations

from typing import Final

from torture.faults.exchange import EXCHANGE, RELEASE
from torture.faults.fault import Fault
from torture.faults.negotiation import NEGOTIATION
from torture.faults.printer import PRINTER
from torture.faults.query import QUERY
from torture.faults.secured import SECURED
from torture.faults.status import STATUS

FAULTS: Final[tuple[Fault, ...]] = (*NEGOTIATION, *SECURED, *EXCHANGE, *RELEASE, *STATUS, *QUERY, *PRINTER)
