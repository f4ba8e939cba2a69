"""The configuration's XML: from bytes to elements."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from hypothesis import strategies as st

from dicomprinter.config.tree import Element
from dicomprinter.config.xml import MAXIMUM_DEPTH, parse
from dicomprinter.errors import ConfigError
from fuzz.target import Target

_FILE: Final = Path("config.xml")
_DOCUMENTS: Final = (
    b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE a SYSTEM "x.dtd">\n<a b="c"><d/>e &amp; f<!-- g --></a>\n',
    '\ufeff<ä ö="ü">€</ä>'.encode(),
    '<?xml version="1.0" encoding="UTF-16"?><a b="c">d</a>'.encode("utf-16"),
    b'<?xml version="1.0" encoding="windows-1252"?><a>\xe4</a>',
    b'<!DOCTYPE a [<!ENTITY b "c"><!ATTLIST a d CDATA "e">]><a f="&b;">&b;</a>',
    b"<a><b c='d'></a>",
    b"<a><![CDATA[<b>]]><?c d?>&#x20;&#32;</a>",
)


def _run(data: bytes) -> None:
    try:
        root = parse(data, _FILE)
    except ConfigError as error:
        # Every problem has its place and its words.
        assert error.problems
        assert all(problem.line >= 1 and problem.column >= 1 and problem.message for problem in error.problems)
        return
    assert _depth(root) <= MAXIMUM_DEPTH


def _depth(element: Element) -> int:
    return 1 + max(map(_depth, element.children), default=0)


def _seeds() -> Iterator[bytes]:
    yield from _DOCUMENTS


def _inputs() -> st.SearchStrategy[bytes]:
    name = st.sampled_from(["a", "b", "ä", "x:y", "a" * 300])
    text = st.sampled_from(["", "x", "&amp;", "&lt;", "&#0;", "&a;", "]]>", "<![CDATA[<]]>", "\0", "${A}", "é" * 99])
    pieces = text | st.builds("<!--{}-->".format, text) | st.builds("<?a {}?>".format, text)
    attributes = st.lists(st.builds(' {}="{}"'.format, name, text), max_size=3).map("".join)
    element = st.recursive(
        pieces,
        lambda inner: st.builds("<{0}{1}>{2}</{0}>".format, name, attributes, st.lists(inner, max_size=4).map("".join)),
        max_leaves=20,
    )
    head = st.sampled_from(
        ["", '<?xml version="1.0"?>', '<?xml version="1.0" encoding="latin-1"?>', "<!DOCTYPE a>", "\ufeff"]
    )
    encoding = st.sampled_from(["utf-8", "utf-16", "latin-1", "utf-32"])
    whole = st.builds(lambda a, b: a + b, head, st.builds("<{0}{1}>{2}</{0}>".format, name, attributes, element))
    return st.builds(lambda text, encoding: text.encode(encoding, "replace"), whole, encoding)


TARGET = Target(
    run=_run,
    seeds=_seeds,
    inputs=_inputs,
    executions=550_000,
    structured=2_000,
    words=(b"<!DOCTYPE", b"<!ENTITY", b"<![CDATA[", b"]]>", b"SYSTEM", b"encoding=", b"UTF-16", b"&#", b"<?", b"${"),
)
