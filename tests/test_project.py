"""What holds the project together: its files agree with each other, and its rooms keep their order."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import click
import pytest

import dicomprinter
from dicomprinter.actions.registry import actions
from dicomprinter.cli.main import commands
from dicomprinter.config.dtd import write_dtd
from dicomprinter.program import root_spec
from tests.links import ROOT, broken, pages

PACKAGE = ROOT / "dicomprinter"

# A room imports only from those before it.
ROOMS = (
    "errors",
    "dicom",
    "imaging",
    "config",
    "job",
    "actions",
    "workflow",
    "program",
    "engine",
    "intake",
    "service",
    "demo",
    "cli",
    "__main__",
)
MOST_LINES = 400


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def room_of(module: Path) -> str:
    return module.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and room of each import of our own; what stands under TYPE_CHECKING is only looked at, never run."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            # A relative import hides its room.
            start = "dicomprinter.(relative)" if node.level else node.module
            names = [f"{start}.{alias.name}" for alias in node.names]
        else:
            yield from imports(node)
            continue
        yield from ((node.lineno, name.split(".")[1]) for name in names if name.startswith("dicomprinter."))


def wrong_imports(source: str, room: str) -> list[str]:
    allowed = {*ROOMS[: ROOMS.index(room) + 1], "__version__"}
    return [
        f"line {line}: {room} imports {other}" for line, other in imports(ast.parse(source)) if other not in allowed
    ]


@pytest.mark.parametrize("module", modules(), ids=lambda module: str(module.relative_to(PACKAGE)))
def test_a_room_imports_only_from_those_below(module: Path) -> None:
    if module == PACKAGE / "__init__.py":
        assert not list(imports(ast.parse(module.read_text(encoding="utf-8"))))
        return
    assert not wrong_imports(module.read_text(encoding="utf-8"), room_of(module))


@pytest.mark.parametrize(
    ("source", "is_wrong"),
    [
        ("from dicomprinter.job.job import Job", True),
        ("from dicomprinter import cli", True),
        ("import dicomprinter.engine.files", True),
        ("def late():\n    from dicomprinter.workflow import nodes", True),
        ("from dicomprinter.cellar import wine", True),
        ("from . import tree", True),
        ("if TYPE_CHECKING:\n    from dicomprinter.job.job import Job", False),
        ("from dicomprinter.errors import ConfigError", False),
        ("from dicomprinter import __version__", False),
    ],
)
def test_a_wrong_import_is_seen(source: str, is_wrong: bool) -> None:
    assert bool(wrong_imports(source, "config")) is is_wrong


def test_every_file_can_be_read_in_one_go() -> None:
    files = [*modules(), *(ROOT / "tests").rglob("*.py")]
    lengths = {str(file.relative_to(ROOT)): len(file.read_text(encoding="utf-8").splitlines()) for file in files}
    assert {file: lines for file, lines in lengths.items() if lines > MOST_LINES} == {}


def test_no_file_names_a_folder_of_somebodys_own() -> None:
    own = re.compile(r"(?<![\w.}])/(?:home|root|Users|work)/")
    roots = [PACKAGE, ROOT / "tests", ROOT / "docs", ROOT / "examples", ROOT / "schemas", ROOT / ".ci"]
    files = [file for root in roots for file in root.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    files += [ROOT / name for name in ("README.md", "CHANGELOG.md", "Makefile", "pyproject.toml")]
    texts = {file: file.read_text(encoding="utf-8", errors="replace") for file in files}
    assert [str(file.relative_to(ROOT)) for file, text in texts.items() if own.search(text)] == []


def test_the_dtd_is_that_of_the_declarations() -> None:
    written = (ROOT / "schemas" / "config.dtd").read_text(encoding="utf-8")
    assert written == write_dtd(root_spec()), "run `make dtd`"


def test_the_changelog_leads_from_what_is_unreleased_back_to_the_first_version() -> None:
    headings = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    releases = [re.fullmatch(r"\[(\d+)\.(\d+)\.(\d+)\] - \d{4}-\d{2}-\d{2}", heading) for heading in headings[1:]]
    assert all(releases), f"a release is `## [1.2.3] - 2026-01-31`: {headings}"
    versions = [tuple(int(part) for part in release.groups()) for release in releases if release]
    assert all(newer > older for newer, older in pairwise(versions))
    current = tuple(int(part) for part in re.findall(r"\d+", dicomprinter.__version__)[:3])
    is_release = bool(versions) and ".dev" not in dicomprinter.__version__
    assert not is_release or current == versions[0], "dicomprinter.__version__ is not the newest release"


def test_the_readme_begins_with_the_two_commands() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    places = [text.find(line) for line in ("\nmake demo", "\nmake test", "## Install")]
    assert -1 not in places
    assert places == sorted(places)


def test_the_readme_says_of_every_action_whether_it_can_be_performed() -> None:
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## What is there")[2].partition("\n## ")[0]
    assert [name for name in actions() if not re.search(rf"\b{name}\b", section)] == []


def options(command: click.Command) -> Iterator[str]:
    yield from (option for parameter in command.params for option in parameter.opts)
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner, name
            yield from options(inner)


@pytest.mark.parametrize("page", ["README.md", "examples/README.md"])
def test_a_page_names_only_options_that_there_are(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text)) <= {*options(commands), "--help"}


def test_the_help_names_every_target() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)
    assert phony
    assert all(f"'make {target}" in text for target in phony[1].split() if target != "help")


@pytest.mark.parametrize("page", pages(), ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert list(broken(page)) == []
