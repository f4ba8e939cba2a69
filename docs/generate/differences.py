"""What `dicomprinter check --from-incumbent` looks for, as a table."""

from __future__ import annotations

from dicomprinter.cli.quirks.differences import DIFFERENCES
from docs.generate.markdown import plain, table


def differences() -> str:
    """Each construct; its own words are Markdown, the rest is plain."""
    rows = ((one.construct, plain(one.there), plain(one.here), plain(one.why)) for one in DIFFERENCES)
    return table(("In the file", "There", "Here", "Why"), rows)
