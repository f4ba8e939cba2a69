"""Writes the corpus: `python -m fuzz.seeds [TARGET...]`. Files called `found-…` are findings of once and stay."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence

from fuzz.target import CORPUS, corpus, load, names

FOUND = "found-"


def write(chosen: Sequence[str]) -> None:
    """Make the seeds of these targets anew."""
    for name in chosen:
        for file in corpus(name):
            if not file.name.startswith(FOUND):
                file.unlink()
        (CORPUS / name).mkdir(parents=True, exist_ok=True)
        for data in load(name).seeds():
            (CORPUS / name / hashlib.sha256(data).hexdigest()[:12]).write_bytes(data)


if __name__ == "__main__":
    write(sys.argv[1:] or names())
