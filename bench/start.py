"""How long the command line takes to start, and to check a large configuration."""

from __future__ import annotations

from pathlib import Path

from bench.measure import alternate, run
from bench.program import COMMAND
from bench.results import Row
from bench.scale import Place
from tests.system.service import connection


def measure(place: Place) -> list[Row]:
    """`--version`, `--help`, and `check` of a small and of a large file."""
    small, large = (_configuration(place.folder / f"{count}.xml", count) for count in (4, place.scale.actions))
    found = alternate(
        place.scale.rounds * 2,
        {
            "--version": lambda: run(*COMMAND, "--version"),
            "small": lambda: run(*COMMAND, "check", small),
            "large": lambda: run(*COMMAND, "check", large),
            "python": lambda: run(COMMAND[0], "-c", "pass"),
        },
    )
    bare = f"of which Python alone {found['python']}"
    nodes = f"{place.scale.actions} actions, {place.scale.actions * 9 // 4} nodes"
    return [
        Row(
            "start",
            "--version",
            found["--version"],
            target=150,
            at_most=True,
            score=found["--version"].median,
            remark=bare,
        ),
        Row("start", "check, 4 actions", found["small"], remark=bare),
        Row(
            "start",
            f"check, {nodes}",
            found["large"],
            target=400,
            at_most=True,
            score=found["large"].median,
            remark=bare,
        ),
    ]


def _configuration(file: Path, count: int) -> Path:
    """So many actions of several kinds, each performed below a condition of its own, and the queries before it."""
    actions, nodes = [], []
    for number in range(count):
        kind = number % 4
        name = f"Action {number}"
        if kind == 0:
            actions.append(f'<Store name="{name}">{connection(104, "PACS")}<Compression type="RLE"/></Store>')
        elif kind == 1:
            actions.append(
                f'<Query name="{name}" type="Worklist">{connection(104, "RIS")}'
                '<DcmTag tag="0010,0020">#{PatientID}</DcmTag></Query>'
            )
        else:
            actions.append(f'<SetTag name="{name}"><DcmTag tag="0008,0080">Ward {number} #{{Date}}</DcmTag></SetTag>')
        if kind == 1:
            nodes.append(f'<Perform action="{name}"/>')
        nodes.append(f'<If field="QUERY_FOUND" value="true"><Perform action="{name}"/></If>')
    file.write_text(
        f"<DicomPrinter><Actions>{''.join(actions)}</Actions><Workflow>{''.join(nodes)}</Workflow></DicomPrinter>",
        encoding="utf-8",
    )
    return file
