"""How much is measured."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.pages import A4


@dataclass(frozen=True)
class Scale:
    """How much of everything.

    Args:
        rounds: of each comparison, after one that does not count; 0 is that one alone.
        page: rows and columns of a page.
        instances: small and large objects of a C-STORE run.
        long_job: pages of the job whose memory is watched, and beside which single pages go.
        documents: the kinds of that job.
        jobs: through the engine.
        drops: files dropped at the service in each way, after one that does not count.
        actions: of the configuration that `check` reads.
        load: jobs in a row through the service, and jobs that wait.
        peers: whether real programs are started.
    """

    rounds: int
    page: tuple[int, int]
    instances: tuple[int, int]
    long_job: int
    documents: tuple[str, ...]
    jobs: int
    drops: int
    actions: int
    load: int
    peers: bool = True


FULL: Final = Scale(
    rounds=5,
    page=A4,
    instances=(100, 10),
    long_job=500,
    documents=("TIFF", "PDF"),
    jobs=600,
    drops=20,
    actions=400,
    load=10_000,
)
QUICK: Final = Scale(
    rounds=2,
    page=A4,
    instances=(100, 4),
    long_job=60,
    documents=("TIFF", "PDF"),
    jobs=200,
    drops=8,
    actions=400,
    load=1000,
)
SMALLEST: Final = Scale(
    rounds=0,
    page=(96, 64),
    instances=(2, 1),
    long_job=4,
    documents=("PDF",),
    jobs=6,
    drops=0,
    actions=20,
    load=12,
    peers=False,
)


@dataclass(frozen=True)
class Place:
    """Where an item works.

    Args:
        folder: temporary, its own, gone afterwards.
        results: what is to stay, such as a curve.
        scale: how much.
    """

    folder: Path
    results: Path
    scale: Scale
