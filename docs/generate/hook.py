"""What `mkdocs build` asks while it makes the site."""

from __future__ import annotations

import posixpath
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    # mkdocs loads this file by its path; what it needs is found from the repository.
    sys.path.insert(0, str(ROOT))

from mkdocs.structure.files import File  # noqa: E402 - the path comes first

from docs.generate.fill import filled  # noqa: E402 - the path comes first

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

# Files outside docs/ that its pages lead to.
_ALSO = ("CHANGELOG.md", "examples/*.md", "examples/*.xml", "examples/actions/*.xml", "schemas/*.dtd")
_LINK = re.compile(r"(\]\()(\.\./[^)\s]+)(\))")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Take the examples and the DTD into the site."""
    for pattern in _ALSO:
        for path in sorted(ROOT.glob(pattern)):
            files.append(File.generated(config, path.relative_to(ROOT).as_posix(), abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Fill the marks, and lead links to files outside docs/ to where they are in the site."""
    if page.file.src_uri == "examples/README.md":
        markdown = _with_the_files(markdown)
    return _LINK.sub(lambda link: link[1] + _inside(link[2], page.file.src_uri) + link[3], filled(markdown))


def _inside(link: str, page: str) -> str:
    """Between `docs/` and the files beside it: `../schemas/config.dtd` of `docs/architecture.md`, and back."""
    folder = posixpath.dirname(page)
    is_beside = folder == "examples" or page == "CHANGELOG.md"
    target = posixpath.normpath(posixpath.join("" if is_beside else "docs", folder, link))
    if is_beside == target.startswith("docs/"):
        return posixpath.relpath(target.removeprefix("docs/"), folder or ".")
    return link


def _with_the_files(markdown: str) -> str:
    """Each example as it stands, so that it can be read and searched here."""
    blocks = [
        f"## {file.name}\n\n```xml\n{file.read_text('utf-8').rstrip()}\n```"
        for file in sorted((ROOT / "examples").glob("*.xml"))
    ]
    return "\n\n".join([markdown, *blocks])
