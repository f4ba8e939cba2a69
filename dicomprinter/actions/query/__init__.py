"""Query: ask a worklist or an archive for the patient, the order, the study (C-FIND)."""

from __future__ import annotations

from dicomprinter.actions.query.action import Query

__all__ = ["Query"]
