"""`${VAR}` and `${VAR:-default}`: from the process, then from the `.env` files of the base directory."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from dicomprinter.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

ENV_FILES = (".env", ".env.local", "config/.env", "config/.env.local")

_REFERENCE = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}")
_ASSIGNMENT = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")
_QUOTED = re.compile(r"""(["'])((?:(?!\1).)*)\1\s*(?:#.*)?""")
_COMMENT = re.compile(r"(?:^|\s+)#.*")


def read_environment(base: Path | None, process: Mapping[str, str] | None = None) -> dict[str, str]:
    """Gather the variables: later files win over earlier ones, the process wins over all.

    Raises:
        InputError: a file is there, but cannot be read.
    """
    variables: dict[str, str] = {}
    for name in ENV_FILES if base else ():
        file = Path(base or "") / name
        if file.is_file():
            variables |= _read_file(file)
    return variables | dict(os.environ if process is None else process)


def _read_file(file: Path) -> dict[str, str]:
    try:
        # Editors on Windows put a mark at the beginning, which would hide the first variable.
        text = file.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise InputError(f"cannot read {file}", cause=error.strerror or "", remedy="check its rights") from None
    variables = {}
    for line in text.splitlines():
        match = _ASSIGNMENT.fullmatch(line.strip())
        if match:
            variables[match[1]] = _value(match[2])
    return variables


def _value(text: str) -> str:
    """Without quotes and comment; a # inside quotes or inside a word belongs to the value."""
    quoted = _QUOTED.fullmatch(text)
    return quoted[2] if quoted else _COMMENT.sub("", text)


def expand(text: str, variables: Mapping[str, str]) -> tuple[str, list[str]]:
    """Fill in the references; returns the text and the names that have neither a value nor a default."""
    missing: list[str] = []

    def value_of(match: re.Match[str]) -> str:
        name, default = match[1], match[2]
        if name in variables:
            return variables[name]
        if default is None:
            missing.append(name)
            return ""
        return default

    return _REFERENCE.sub(value_of, text), missing
