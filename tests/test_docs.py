"""The documentation: it builds without a warning, says everything, and its examples work."""

from __future__ import annotations

import ast
import html
import json
import os
import re
import shlex
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import click
import pytest

from dicomprinter.actions.registry import actions
from dicomprinter.cli.main import commands as program
from dicomprinter.config import placeholders
from dicomprinter.dicom.uids import IMPLEMENTATION_CLASS_UID
from dicomprinter.errors import ConfigError
from dicomprinter.program import load
from dicomprinter.workflow import conditions
from docs.generate import elements, message_page, sites, source
from docs.generate.markdown import code, plain
from docs.generate.texts import says_something
from tests.fences import Block, blocks, commands
from tests.links import ROOT, pages
from tests.waiting import PATIENCE

BLOCKS = [block for page in pages() for block in blocks(page)]


def of(*languages: str) -> list[Block]:
    return [block for block in BLOCKS if block.language in languages]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs") / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, encoding="utf-8", timeout=5 * PATIENCE, check=False
    )
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    return folder


@pytest.fixture(scope="module")
def messages() -> list[sites.Message]:
    return sites.messages()


def text_of(page: Path) -> str:
    return html.unescape(re.sub(r"<[^>]+>", "", page.read_text("utf-8")))


# The site


def test_the_site_fetches_nothing_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        tags = re.findall(r"<(?:link|script|img|iframe|source)\b[^>]*>", page.read_text("utf-8"))
        assert [tag for tag in tags if re.search(r"(?:src|href)=\"?(?:https?:)?//", tag)] == [], page
    for sheet in site.rglob("*.css"):
        assert not re.search(r"url\([\"']?(?:https?:)?//|@import", sheet.read_text("utf-8")), sheet


def test_every_page_is_in_the_site_and_no_mark_is_left(site: Path) -> None:
    for page in (ROOT / "docs").rglob("*.md"):
        made = site / page.relative_to(ROOT / "docs").with_suffix(".html")
        assert "<!-- generated" not in made.read_text("utf-8")
    assert (site / "examples" / "seed.xml").read_bytes() == (ROOT / "examples" / "seed.xml").read_bytes()
    assert (site / "schemas" / "config.dtd").is_file()
    assert not (site / "generate").exists()


def test_the_search_works_without_a_web_server(site: Path) -> None:
    assert (site / "search" / "search_index.js").read_text("utf-8").startswith("var __index")
    assert "assets/iframe-worker.js" in (site / "index.html").read_text("utf-8")


# What is generated


def test_every_element_and_attribute_is_in_the_reference(site: Path) -> None:
    page = (site / "configuration" / "elements.html").read_text("utf-8")
    every = elements.elements()
    assert len(every) > 40
    for element in every:
        head = re.search(rf'<h[23] id="{re.escape(element.anchor)}">(.*?)(?=<h[23] id=|</article>)', page, re.DOTALL)
        assert head, element.title
        said = html.unescape(head[1])
        for attribute in element.spec.attributes:
            assert f"<code>{attribute.name}</code>" in said, f"{element.title}: {attribute.name}"
        for child in element.spec.children:
            assert f"<{child.spec.name}>" in said or f">{child.spec.name}</a>" in said, child.spec.name


def test_no_element_and_no_attribute_lacks_its_meaning() -> None:
    for element in elements.elements():
        assert element.spec.doc, f"<{element.title}> has no doc"
        for attribute in element.spec.attributes:
            assert attribute.doc or attribute.ignored, f"{attribute.name} of <{element.title}> has no doc"
        for child in element.spec.children:
            assert child.spec.doc or child.ignored, f"<{child.spec.name}> in <{element.title}> has no doc"


def test_no_two_sections_of_the_reference_have_one_name() -> None:
    titles = [element.title for element in elements.elements()]
    assert len(set(titles)) == len(titles)


def test_every_error_that_is_raised_is_in_the_messages(messages: list[sites.Message]) -> None:
    trees = source.modules()
    classes = source.error_classes(trees)
    assert {"InputError", "SpoolInUseError", "InternalFault"} <= classes
    said = "\n".join(message.what for message in messages)
    missing = []
    for module, tree in trees.items():
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
            if name not in classes or not call.args:
                continue
            words = [part for part in _literals(call.args[0]) if says_something(part)]
            if words and not all(word.strip() in said for word in words):
                missing.append(f"{module}:{call.lineno}: {words}")
    assert missing == []


def _literals(node: ast.expr) -> list[str]:
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr(values=values):
            return [text for value in values for text in _literals(value)]
    return []


def test_every_message_is_on_its_page(messages: list[sites.Message], site: Path) -> None:
    page = (site / "messages.html").read_text("utf-8")
    shown = re.sub(r"\s+", " ", html.unescape(page))
    assert len(messages) > 250
    for message in messages:
        assert all(" ".join(text.split()) in shown for text in (message.what, message.cause, message.remedy))


def test_a_message_has_its_cause_and_its_remedy(messages: list[sites.Message]) -> None:
    found = {message.what: message for message in messages}
    refused = found["… refused the connection"]
    assert refused.kind == "TransientError"
    assert refused.cause == "nothing listens on this port: the peer is not running, or the port is wrong"
    assert refused.remedy == "start the peer, or correct Port"
    assert found['action "…" is not declared'].kind == "error of the configuration"


def test_a_message_that_a_function_makes_is_told_with_what_it_is_given() -> None:
    trees = {
        "a.py": ast.parse(
            "class DicomPrinterError: ...\n"
            "class Bad(DicomPrinterError): ...\n"
            "def damaged(kind, cause, remedy='copy it again'):\n"
            "    return Bad(f'a damaged {kind}', cause=cause, remedy=remedy)\n"
            "def look(size):\n"
            "    raise damaged('PNG', f'it has {size} bytes')\n"
        )
    }
    (message,) = sites.messages(trees)
    assert (message.what, message.cause, message.remedy) == ("a damaged PNG", "it has … bytes", "copy it again")
    assert (message.line, message.kind) == (6, "Bad")


def test_every_room_has_a_heading(messages: list[sites.Message]) -> None:
    rooms = {message.module.split("/")[0].removesuffix(".py") for message in messages}
    assert rooms <= message_page.ROOMS.keys()


def test_every_command_and_option_is_in_its_page(site: Path) -> None:
    page = text_of(site / "command-line.html")

    def look(command: click.Command, name: str) -> None:
        assert f"Usage: {name} [OPTIONS]" in page
        for parameter in command.params:
            assert all(option in page for option in parameter.opts if option.startswith("-"))
        if isinstance(command, click.Group):
            context = click.Context(command)
            for inner in command.list_commands(context):
                found = command.get_command(context, inner)
                assert found
                look(found, f"{name} {inner}")

    look(program, "dicomprinter")


def test_the_statuses_are_those_of_the_program(site: Path) -> None:
    page = text_of(site / "dicom.html")
    for text in ("A700 to A7FF", "out of resources", "0111", "B006", "FE00", "its limit of associations is reached"):
        assert text in page
    assert "unknown status" not in page
    assert IMPLEMENTATION_CLASS_UID in page


def test_a_text_is_shown_as_it_is() -> None:
    assert html.unescape(plain("<If> a|b *c* #{D}")) == "<If> a|b *c* #{D}"
    assert code("a|b") == "<code>a&#124;b</code>"


# What is written by hand


@pytest.mark.parametrize("field", conditions.FIELDS)
def test_every_field_of_conditions_is_explained(field: str) -> None:
    assert f"`{field}" in (ROOT / "docs/configuration/workflow.md").read_text("utf-8")


@pytest.mark.parametrize(
    "name", [*placeholders.FACTS, *placeholders.MOMENTS, *placeholders.FILES, "UID", "Date", "Date,-7,7"]
)
def test_every_placeholder_is_explained(name: str) -> None:
    assert f"`#{{{name}}}`" in (ROOT / "docs/configuration/index.md").read_text("utf-8")


def choices(element: str, attribute: str) -> list[str]:
    (spec,) = (one.spec for one in elements.elements() if one.title == element)
    (kind,) = (one.kind for one in spec.attributes if one.name == attribute)
    return list(kind.choices)


@pytest.mark.parametrize(
    ("page", "element", "attribute"),
    [
        ("actions/store", "Compression", "type"),
        ("actions/store", "ColorMode", "mode"),
        ("actions/store", "Document", "as"),
        ("actions/query", "Query in Actions", "type"),
        ("actions/query", "Query in Actions", "level"),
        ("configuration/workflow", "Perform", "onError"),
    ],
)
def test_every_choice_is_explained(page: str, element: str, attribute: str) -> None:
    text = (ROOT / f"docs/{page}.md").read_text("utf-8")
    assert [choice for choice in choices(element, attribute) if f"`{choice}`" not in text] == []


def test_no_action_is_told_as_not_there_yet() -> None:
    section = (ROOT / "docs/index.md").read_text("utf-8").partition("## What is not there yet")[2]
    assert [name for name in actions() if re.search(rf"\b{name}\b", section)] == []


# The examples


# The keys that the page on TLS names are the reader's own.
NO_KEYS_HERE = tuple(f'<Tls>: there is no file "/etc/dicomprinter/{name}"' for name in ("ca.pem", "us.pem", "us.key"))


@pytest.mark.parametrize("block", of("xml"), ids=str)
def test_a_configuration_loads(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "config.xml"
    file.write_text(block.configuration, "utf-8")
    remarks = [remark.message for remark in load(file, environment={}).remarks]
    # A fragment stores nothing, and performs not all that is put around it.
    beside = ("nothing leaves", "the workflow never performs", *NO_KEYS_HERE) if block.title else ()
    assert [remark for remark in remarks if not remark.startswith(beside)] == []


def test_a_wrong_fragment_would_be_noticed(tmp_path: Path) -> None:
    block = Block("x.md", 1, "xml", "inside Workflow", '<Perform action="Nobody"/>')
    (tmp_path / "config.xml").write_text(block.configuration, "utf-8")
    with pytest.raises(ConfigError):
        load(tmp_path / "config.xml", environment={})


@pytest.mark.parametrize("block", of("json"), ids=str)
def test_json_can_be_read(block: Block) -> None:
    json.loads(block.text)


@pytest.mark.parametrize("block", of("python"), ids=str)
def test_python_compiles(block: Block) -> None:
    compile(block.text, str(block), "exec")


def parse(line: str) -> click.Context:
    """Read a command line as the program would, without running it."""
    words = shlex.split(line, comments=True)
    end = next((index for index, word in enumerate(words) if word in ("|", ">", "2>", "&", "&&", "2>&1")), len(words))
    command: click.Command = program
    context = command.make_context("dicomprinter", words[1:end], resilient_parsing=False)
    while isinstance(command, click.Group):
        # Where click keeps the name of the inner command differs by its version.
        rest = [*getattr(context, "_protected_args", ()), *context.args]
        if not rest:
            return context
        _, inner, left = command.resolve_command(context, rest)
        assert inner is not None
        command = inner
        context = command.make_context(command.name, left, parent=context)
    return context


@pytest.mark.parametrize("block", of("sh", "console"), ids=str)
def test_a_command_that_is_shown_could_be_given(block: Block) -> None:
    for line in commands(block.text):
        with suppress(click.exceptions.Exit):  # --help and --version
            parse(line)


@pytest.mark.parametrize("line", ["dicomprinter prnt x", "dicomprinter jobs list --bse x", "dicomprinter check"])
def test_a_command_that_could_not_be_given_would_be_noticed(line: str) -> None:
    with pytest.raises(click.ClickException):
        parse(line)


def test_every_block_says_what_it_is() -> None:
    known = {"", "xml", "sh", "console", "json", "python", "text", "ini"}
    assert [str(block) for block in BLOCKS if block.language not in known] == []
