"""`${VAR}` and `${VAR:-default}`: from the process, then from the `.env` files of the base directory."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from dicomprinter.errors import InputError, Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

ENV_FILES = (".env", ".env.local", "config/.env", "config/.env.local")

# A default may hold a placeholder, whose brace does not end it.
_PLACEHOLDER = r"#\{[^{}]*\}"
_REFERENCE = re.compile(rf"\$\{{([A-Za-z_][A-Za-z0-9_]*)(?::-((?:{_PLACEHOLDER}|#(?!\{{)|[^#}}])*))?\}}")
_UNCLOSED = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)?[^}]*\Z")
_ASSIGNMENT = re.compile(r"(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*)")
_QUOTED = re.compile(r"""(["'])((?:(?!\1).)*)\1\s*(?:#.*)?""")
_COMMENT = re.compile(r"(?:^|\s+)#.*")


class Environment(dict[str, str]):
    """The variables, the base directory whose files they come from, and what is wrong with lines of these."""

    base: Path | None = None
    faults: tuple[Problem, ...] = ()


def read_environment(base: Path | None, process: Mapping[str, str] | None = None) -> Environment:
    """Gather the variables: later files win over earlier ones, the process wins over all.

    Raises:
        InputError: a file is there, but cannot be read.
    """
    variables = Environment()
    variables.base = base
    for name in ENV_FILES if base else ():
        file = Path(base or "") / name
        if file.is_file():
            found, faults = _read_file(file)
            variables |= found
            variables.faults += faults
    variables |= os.environ if process is None else process
    return variables


def where_to_set(variables: Mapping[str, str]) -> str:
    """Where the value of a variable that lacks one is to stand."""
    base = variables.base if isinstance(variables, Environment) else None
    if base is None:
        return "set it in the environment (no .env was read: --base names the base directory)"
    return f"set it in the environment or in {base.absolute() / ENV_FILES[0]}"


def _read_file(file: Path) -> tuple[dict[str, str], tuple[Problem, ...]]:
    try:
        # Editors on Windows put a mark at the beginning, which would hide the first variable.
        text = file.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise InputError(f"cannot read {file}", cause=error.strerror or "", remedy="check its rights") from None
    variables, faults = {}, []
    for number, line in enumerate(text.splitlines(), start=1):
        match = _ASSIGNMENT.fullmatch(line.strip())
        if match:
            variables[match[1]] = _value(match[2])
            if match[2][:1] in ("'", '"') and not _QUOTED.fullmatch(match[2]):
                message = f"the value of {match[1]} begins with a quote that does not end it"
                faults.append(Problem(file, number, 1, message, "close the quote at the end of the line"))
        elif line.strip() and not line.strip().startswith("#"):
            # The line itself is not shown: it may hold a password.
            message = "the line is not of the form NAME=value and sets nothing"
            faults.append(Problem(file, number, 1, message, "write # before what is a remark"))
    return variables, tuple(faults)


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

    # Behind the last brace there is none: else each beginning would be followed up to the end.
    end = text.rfind("}") + 1
    return _REFERENCE.sub(value_of, text[:end]) + text[end:], missing


def unclosed(text: str) -> str | None:
    """The beginning of a reference that has no closing brace, as it should be written; None when there is none."""
    if "${" not in text:
        return None
    end = text.rfind("}") + 1
    rest = re.sub(_PLACEHOLDER, "", _REFERENCE.sub("", text[:end])) + text[end:]
    # Only behind the last brace: else each beginning is looked at up to the end.
    found = _UNCLOSED.search(rest[rest.rfind("}") + 1 :])
    return f"${{{found[1] or 'NAME'}}}" if found else None
