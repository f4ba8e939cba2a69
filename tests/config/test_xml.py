"""From bytes to elements: places, encodings, and what is refused before anything of it is used."""

from __future__ import annotations

import codecs
import socket
from pathlib import Path

import pytest

from dicomprinter.config.tree import Element, Position
from dicomprinter.config.xml import MAXIMUM_BYTES, MAXIMUM_DEPTH, parse
from dicomprinter.errors import ConfigError

FILE = Path("config.xml")
NO_ENTITIES = "entities are not allowed here; write the text itself, or ${VARIABLE}"
BOMB = (
    '<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">'.replace("&a0;", "&a;") for n in range(1, 12))
    + "]><a>&a11;</a>"
)


def read(document: str | bytes) -> Element:
    return parse(document if isinstance(document, bytes) else document.encode(), FILE)


def refused(document: str | bytes) -> str:
    with pytest.raises(ConfigError) as caught:
        read(document)
    (problem,) = caught.value.problems
    return str(problem)


def test_elements_attributes_and_texts() -> None:
    root = read('<A b="1 &amp; 2"> x <C/> y </A>')
    assert root == Element("A", Position(1, 1), {"b": "1 & 2"}, " x  y ", [Element("C", Position(1, 21))])


def test_places_are_those_of_the_start_tags() -> None:
    root = read('<A>\n\t<B/>\n  text <C\n  d="ä"><D/></C>\r\n<E/></A>')
    b, c, e = root.children
    (d,) = c.children
    assert [one.position for one in (root, b, c, d, e)] == [
        Position(1, 1),
        Position(2, 2),
        Position(3, 8),
        Position(4, 9),
        Position(5, 1),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_columns_count_characters_and_no_byte_order_mark(encoding: str) -> None:
    root = read('<Ä ö="ß€"><b/>\n ü<c/></Ä>'.encode(encoding))
    assert [root.position, *(child.position for child in root.children)] == [
        Position(1, 1),
        Position(1, 11),
        Position(2, 3),
    ]


@pytest.mark.parametrize(
    "data",
    [
        "<A>Größe €</A>".encode(),
        "<A>Größe €</A>".encode("utf-8-sig"),
        "<A>Größe €</A>".encode("utf-16"),
        codecs.BOM_UTF16_BE + '<?xml version="1.0" encoding="UTF-16"?><A>Größe €</A>'.encode("utf-16-be"),
        '<?xml version="1.0" encoding="utf-8"?><A>Größe €</A>'.encode(),
        '<?xml version="1.0" encoding="windows-1252"?><A>Größe €</A>'.encode("cp1252"),
        '<?xml version="1.0" encoding="ISO-8859-15"?><A>Größe €</A>'.encode("iso8859-15"),
        b'<?xml version="1.0" encoding="us-ascii"?><A>Gr&#246;&#xDF;e &#x20AC;</A>',
    ],
    ids=["plain", "mark", "utf-16", "utf-16-be", "utf-8", "windows-1252", "latin-9", "references"],
)
def test_encodings(data: bytes) -> None:
    assert read(data).text == "Größe €"


def test_latin_1() -> None:
    assert read('<?xml version="1.0" encoding="ISO-8859-1"?><A b="Größe"/>'.encode("latin-1")).attributes == {
        "b": "Größe"
    }


@pytest.mark.parametrize("encoding", ["klingon", "utf-32", "shift_jis", "hex"])
def test_an_unknown_encoding_is_refused(encoding: str) -> None:
    message = refused(f'<?xml version="1.0" encoding="{encoding}"?><A/>')
    assert message == "config.xml:1:1: the encoding in the XML declaration is not known; use UTF-8"


def test_bytes_that_are_not_of_the_encoding_are_refused() -> None:
    assert (
        refused("<A>\n Größe</A>".encode("latin-1"))
        == "config.xml:2:4: not well-formed XML: the file is not UTF-8: save it as UTF-8, or name its encoding"
        " in the first line"
    )


@pytest.mark.parametrize(
    "document", ["<A><<</A>", "<A>ä<<</A>", '<A b="x">y <<</A>', '<A b="x"<<</A>', "<A>&amp;<<</A>"]
)
def test_a_wrong_character_of_a_utf_8_file_is_not_its_encoding(document: str) -> None:
    assert refused(document).endswith("not well-formed (invalid token)")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_a_tag_that_does_not_fit_names_the_open_one_and_its_line(encoding: str) -> None:
    said = "config.xml:3:3: not well-formed XML: <Größe> opened in line 2 is not closed before </A>"
    assert refused("<A>\n<Größe>\n</A>".encode(encoding)) == said
    assert refused("<A>\n<B>".encode(encoding)).endswith("<B> opened in line 2 is not closed")


def test_cdata_comments_and_instructions() -> None:
    root = read('<?site a?><!-- <B/> --><A><!-- & < --><![CDATA[<B c="&x;"> & ]]>y<?pi <B c="&x;"> ?></A><!-- end -->')
    assert (root.text, root.children) == ('<B c="&x;"> & y', [])


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ("", "1:1"),
        ("   \n ", "2:2"),
        ("text", "1:1"),
        ("<A>", "1:4"),
        ("<A>\n</B>", "2:3"),
        ("<A/><B/>", "1:5"),
        ("<A b='1' b='2'/>", "1:10"),
        ("<A b=1/>", "1:6"),
        ("<A b='<'/>", "1:7"),
        ("<A>\0</A>", "1:4"),
        ("<A>&#0;</A>", "1:4"),
        ("<A>&nbsp;</A>", "1:4"),
    ],
)
def test_what_is_not_well_formed_says_where(document: str, place: str) -> None:
    assert refused(document).startswith(f"config.xml:{place}: not well-formed XML: ")


def test_an_empty_file() -> None:
    assert refused(b"") == "config.xml:1:1: not well-formed XML: the file is empty"
    assert refused(b"\xef\xbb\xbf \n").endswith(": the file is empty")


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ("<A>\n a & b</A>", "2:5"),
        ("<A>AT&T</A>", "1:8"),
        ('<A b="x=1&y=2"/>', "1:12"),
        ("<A>x &amp</A>", "1:10"),
    ],
)
def test_an_ampersand_of_its_own(document: str, place: str) -> None:
    said = f"config.xml:{place}: not well-formed XML: an & that stands for itself; write &amp;"
    assert refused(document) == said


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ('<A>\n<B c="1" d="Send>\n <C e="1"/></B></A>', "3:2"),
        ("<A>\n<B c='Send/>\n</A>", "3:1"),
        ('<A b="1<2"/>', "1:8"),
    ],
)
def test_a_quote_that_is_not_closed(document: str, place: str) -> None:
    said = "a < inside an attribute's value; a closing quote is missing in this line or one above, or write &lt;"
    assert refused(document) == f"config.xml:{place}: not well-formed XML: {said}"


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ('<A>\n<B c="1"\n<C/></B></A>', "3:1"),
        ("<A>\n<B></B\n<C/></A>", "3:1"),
        ("<A\n  <B/></A>", "2:3"),
    ],
)
def test_a_tag_that_is_not_closed(document: str, place: str) -> None:
    said = f"config.xml:{place}: not well-formed XML: the tag before this one is not closed with >"
    assert refused(document) == said


@pytest.mark.parametrize(
    ("document", "place"),
    [
        (BOMB, "1:"),
        ('<!DOCTYPE a [\n<!ENTITY x "y">]><a/>', "2:"),
        ('<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>', "1:"),
        ('<!DOCTYPE a [<!ENTITY x PUBLIC "p" "http://127.0.0.1:9/x">]><a b="&x;"/>', "1:"),
        ('<!DOCTYPE a [<!ENTITY % p "x">]><a/>', "1:"),
        ('<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1:9/p.dtd"> %p;]><a/>', "1:"),
        # Declared in a DTD that is not fetched: expat itself would drop these without a word.
        ('<!DOCTYPE a SYSTEM "a.dtd"><a>&x;</a>', "1:31:"),
        ('<!DOCTYPE a SYSTEM "a.dtd">\n<a>\n <b c="1&x;2"/></a>', "3:2:"),
        ('<!DOCTYPE a PUBLIC "p" "a.dtd"><a b="&amp;" c="&lt;&gt;&quot;&apos;&#65;&x;"/>', "1:32:"),
        ('\n<!DOCTYPE a SYSTEM "a.dtd"><a b="' + "x" * 5000 + '&x;"/>', "2:28:"),
    ],
    ids=["bomb", "internal", "file", "public", "parameter", "remote parameter", "text", "attribute", "mixed", "long"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_are_refused_before_they_do_anything(document: str, place: str, encoding: str) -> None:
    # In a declaration the column is that of its value's end.
    message = refused(document.encode(encoding))
    assert message.startswith(f"config.xml:{place}")
    assert message.endswith(f": {NO_ENTITIES}")


@pytest.mark.parametrize(
    "doctype",
    [
        "<!DOCTYPE A>",
        '<!DOCTYPE A SYSTEM "config.dtd">',
        '<!DOCTYPE A SYSTEM "http://127.0.0.1:9/config.dtd">',
        '<!DOCTYPE A PUBLIC "-//site//DTD//EN" "http://127.0.0.1:9/config.dtd">',
        '<!DOCTYPE A SYSTEM "config.dtd" [<!ELEMENT A (B)><!-- & < --><?pi & < ?>]>',
    ],
)
def test_a_doctype_is_fine_and_nothing_is_fetched(
    doctype: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("something was fetched")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    (tmp_path / "config.dtd").write_text('<!ATTLIST A b CDATA "from the DTD">')
    monkeypatch.chdir(tmp_path)
    assert read(f'{doctype}<A c="&amp;"><B/></A>').attributes == {"c": "&"}


def test_a_doctype_gives_no_attributes() -> None:
    assert read('<!DOCTYPE A [<!ATTLIST A b CDATA "default">]><A/>').attributes == {}


def test_elements_may_be_nested_as_deep_as_anyone_needs_and_no_deeper() -> None:
    assert read("<a>" * MAXIMUM_DEPTH + "</a>" * MAXIMUM_DEPTH).name == "a"
    deeper = MAXIMUM_DEPTH + 1
    message = refused("<a>" * deeper + "</a>" * deeper)
    assert message == f"config.xml:1:{3 * MAXIMUM_DEPTH + 1}: elements are nested deeper than 100"


def test_a_file_that_is_far_too_large_is_not_looked_at() -> None:
    assert refused(b"\0" * (MAXIMUM_BYTES + 1)) == "config.xml:1:1: the file is larger than 16 MB"
    assert "not well-formed" in refused(b"\0" * MAXIMUM_BYTES)
