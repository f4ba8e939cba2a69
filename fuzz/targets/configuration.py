"""A whole configuration: every element that its declarations know, and what is nearly one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from hypothesis import strategies as st

from dicomprinter.actions.registry import actions
from dicomprinter.config.spec import Spec
from dicomprinter.errors import ConfigError
from dicomprinter.program import load, root_spec
from fuzz.files import Scratch
from fuzz.target import Target

_EXAMPLES: Final = Path(__file__).parents[2] / "examples"
_SCRATCH: Final = Scratch()
_ENVIRONMENT: Final = {"HOST": "127.0.0.1", "PORT": "104", "EMPTY": ""}
_TEXTS: Final = (
    *("", "true", "0", "-1", "1.5", "104", "x", "Hold", "AE_TITLE", "127.0.0.1", "#{PatientID}", "#{Date,1,2}", "é"),
    *(
        "0010,0020",
        "(0009,1001)",
        "PatientName",
        "a|b",
        "(a+)+$",
        "${HOST}",
        "${NONE}",
        "${PORT:-1}",
        "9" * 30,
        "FFFFFF",
    ),
)


def _run(data: bytes) -> None:
    try:
        program = load(_SCRATCH.file(data), None, _ENVIRONMENT)
    except ConfigError as error:
        assert error.problems
        assert all(problem.line >= 1 and problem.column >= 1 and problem.message for problem in error.problems)
        return
    # What loads can be told of, and walked through.
    assert program.file
    for remark in program.remarks:
        assert str(remark)
    for node in program.workflow.walk():
        assert str(node)


def _seeds() -> Iterator[bytes]:
    for file in sorted(_EXAMPLES.rglob("*.xml")):
        yield file.read_bytes()
    kinds = "".join(f'<{name} name="{name}"/>' for name in actions())
    yield f"<DicomPrinter><Actions>{kinds}</Actions><Workflow/></DicomPrinter>".encode()


def _inputs() -> st.SearchStrategy[bytes]:
    @st.composite
    def document(draw: st.DrawFn) -> bytes:
        return ('<?xml version="1.0"?>' + "".join(_element(draw, root_spec(), 0))).encode()

    return document()


def _element(draw: st.DrawFn, spec: Spec, depth: int) -> Iterator[str]:
    """An element as declared, some of its parts missing, doubled or wrong."""
    yield f"<{spec.name}"
    for attribute in spec.attributes:
        if attribute.required or not draw(st.integers(0, 3)):
            yield f' {attribute.name}="{draw(_text(attribute.kind.choices))}"'
    yield ">"
    if spec.text:
        yield draw(_text(spec.text.choices))
    for child in spec.children if depth < 8 else ():
        often = child.least or (0 if draw(st.integers(0, 3 + len(spec.children) // 3)) else 1)
        for _ in range(often + (not draw(st.integers(0, 40)))):
            yield from _element(draw, child.spec, depth + 1)
    yield f"</{spec.name}>"


def _text(choices: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.sampled_from(choices or _TEXTS) if choices else st.sampled_from(_TEXTS)


TARGET = Target(
    run=_run,
    seeds=_seeds,
    inputs=_inputs,
    executions=25_000,
    structured=1_000,
    words=(
        *(
            b"<Actions>",
            b"<Workflow>",
            b"<General>",
            b"<Perform action=",
            b"<If field=",
            b"<Switch field=",
            b"<Suspend",
        ),
        *(b"<ConnectionParameters>", b"<PeerAETitle>", b"<DcmTag tag=", b"<Query name=", b"<Store name=", b"onError="),
    ),
    longest=8192,
)
