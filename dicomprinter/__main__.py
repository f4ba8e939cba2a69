"""`python -m dicomprinter`."""

from __future__ import annotations

from dicomprinter.cli.main import main

main()
