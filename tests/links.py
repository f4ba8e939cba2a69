"""Looks at the links of README.md, docs/ and examples/ as GitHub shows them: `make docs`, and a test."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from docs.generate.fill import filled

ROOT = Path(__file__).resolve().parent.parent

_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_HEADING = re.compile(r"^#+ +(.*?) *$", re.MULTILINE)


def pages() -> list[Path]:
    """Every page for readers, the first one first."""
    top = [ROOT / "README.md", ROOT / "CHANGELOG.md"]
    return [*top, *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "examples").glob("*.md"))]


def broken(page: Path) -> Iterator[str]:
    """Links of a page to a file or a heading that is not there; addresses on the web are not asked."""
    for link in _LINK.findall(_CODE.sub("", page.read_text(encoding="utf-8"))):
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            yield f"{page.relative_to(ROOT)}: {link} leads nowhere"


def _anchors(page: Path) -> set[str]:
    """The headings' anchors, as GitHub makes them; those that the site generates count as well."""
    if page.suffix != ".md":
        return set()
    headings = _HEADING.findall(filled(page.read_text(encoding="utf-8")))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def main() -> int:
    """Say what is broken; the exit code is 1 then."""
    found = [complaint for page in pages() for complaint in broken(page)]
    sys.stdout.write("".join(f"{complaint}\n" for complaint in found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
