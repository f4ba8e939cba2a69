"""How the program calls itself towards peers (PS3.7 D.3.3.2)."""

from __future__ import annotations

from dicomprinter.dicom.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from docs.generate.markdown import code, table


def implementation() -> str:
    """Class UID and version name."""
    rows = (
        ("implementation class UID", code(IMPLEMENTATION_CLASS_UID)),
        ("implementation version name", code(IMPLEMENTATION_VERSION_NAME)),
    )
    return table(("what", "value"), rows)
