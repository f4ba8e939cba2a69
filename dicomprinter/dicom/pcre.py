r"""Expressions of PCRE, written as the `regex` package reads them.

Sites have expressions of PCRE. Most of it `regex` reads alike; what it spells differently is rewritten here, what it
takes for something else (`{e}` as fuzzy, `\m` as the start of a word) is made what PCRE means, and what it cannot do is
refused. After the PCRE2 documentation: pcre2pattern, pcre2syntax.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

import regex

_VERTICAL: Final = r"\n\x0b\f\r\x85\u2028\u2029"
_QUANTIFIER: Final = re.compile(r"\{(?:\d+(?:,\d*)?|,\d+)\}")
_CALL: Final = re.compile(r"\(\?(?:R|0|[+-]?\d+|&\w+|P>\w+|P=\w+)\)")
_CONDITION: Final = re.compile(r"\(\?\((?:([+-]?\d+)|<(\w+)>|'(\w+)'|(\w+))\)")
_NAMED: Final = re.compile(r"\(\?(?:P?<|')(\w+)[>']")
_OPTIONS: Final = re.compile(r"\(\?([a-zA-Z^-]*)([:)])")
_VERB: Final = re.compile(r"\(\*[^()]*\)?")
_REFERENCE: Final = re.compile(r"g\{([+-]?)(\w+)\}|g([+-]?)(\d+)|k(?:\{(\w+)\}|<(\w+)>|'(\w+)')")
_SUBROUTINE: Final = re.compile(r"g(?:<([+-]?\w+)>|'([+-]?\w+)')")
_CODE: Final = re.compile(
    r"x\{([0-9A-Fa-f]{1,6})\}|x([0-9A-Fa-f]{0,2})|o\{([0-7]{1,7})\}|(0[0-7]{0,2})|N\{U\+([0-9A-Fa-f]{1,6})\}|c([!-~])|(e)"
)
_PROPERTY: Final = re.compile(r"[pP](?:\{[^{}]*\}|[A-Z])")
_POSIX: Final = re.compile(r"\[([:.=])(\^?[A-Za-z]*)\1\]")
_EDGES: Final = MappingProxyType({"[[:<:]]": r"\b(?=\w)", "[[:>:]]": r"\b(?<=\w)"})
# At the start: that the text is Unicode, which it is here.
_UNICODE: Final = ("(*UTF8)", "(*UTF)", "(*UCP)")
_VERBS: Final = ("(*FAIL)", "(*F)", "(*SKIP)", "(*PRUNE)")
# What both have; the letters that are no escapes of PCRE mean something else to `regex`.
_ALIKE: Final = frozenset("abBdDwWsSAzGRXKtnrfh123456789")
_IN_CLASS: Final = frozenset("abdDwWsStnrfh1234567")
_REWRITTEN: Final[Mapping[str, str]] = MappingProxyType(
    {"H": r"[^\h]", "v": f"[{_VERTICAL}]", "V": f"[^{_VERTICAL}]", "N": r"[^\n]", "Z": r"(?=\n?\z)"}
)


def compiled(text: str, *, ignore_case: bool = False) -> regex.Pattern[str]:
    """An expression of PCRE, ready to search.

    Raises:
        ValueError: it is none, or needs what there is not here; says what.
    """
    rewritten = translated(text)
    try:
        return regex.compile(rewritten, regex.V0 | (regex.IGNORECASE if ignore_case else 0))
    except regex.error as error:
        # The place is that in another text.
        raise ValueError(str(error) if rewritten == text else error.msg) from None
    except (RecursionError, MemoryError):
        raise ValueError("it is nested too deeply") from None


def translated(text: str) -> str:
    """An expression of PCRE as `regex` with its version 0 reads it.

    Raises:
        ValueError: it needs what there is not here; says what.
    """
    return _Translation(text).run()


@dataclass
class _Level:
    """A group that is open.

    Args:
        extended: whether white space and comments count for nothing in it (`x`).
        reset: of `(?|`: the number of groups before it, to which each branch goes back.
        most: of `(?|`: the highest number that a branch has reached.
    """

    extended: bool
    reset: int | None = None
    most: int = 0


@dataclass
class _Translation:
    """One expression on its way: what has been read, and what was written for it."""

    text: str
    at: int = 0
    out: list[str] = field(default_factory=list)
    groups: int = 0
    levels: list[_Level] = field(default_factory=lambda: [_Level(extended=False)])

    def run(self) -> str:
        for word in _UNICODE:
            if self.text.startswith(word, self.at):
                self.at += len(word)
        while self.at < len(self.text):
            self._next()
        return "".join(self.out)

    def _next(self) -> None:
        text, at = self.text, self.at
        level = self.levels[-1]
        match text[at]:
            case "\\":
                self._escape()
            case "[":
                self._class()
            case "(":
                self._open()
            case ")":
                self._close()
            case "|" if level.reset is not None:
                level.most = max(level.most, self.groups)
                self.groups = level.reset
                self._copy(1)
            case "{" if not _QUANTIFIER.match(text, at):
                self._write(r"\{", 1)
            case "#" if level.extended:
                end = text.find("\n", at)
                self.at = len(text) if end < 0 else end + 1
            case _:
                self._copy(1)

    def _copy(self, length: int) -> None:
        self._write(self.text[self.at : self.at + length], length)

    def _write(self, text: str, length: int) -> None:
        self.out.append(text)
        self.at += length

    def _escape(self) -> None:
        text, at = self.text, self.at + 1
        letter = text[at : at + 1]
        if letter == "Q":
            self._quoted()
        elif letter == "E":
            self.at += 2
        elif found := _REFERENCE.match(text, at):
            sign = found[1] or found[3] or ""
            name = next(one for one in (found[2], *found.group(4, 5, 6, 7)) if one)
            self._write(f"(?P={self._absolute(sign, name)})", 1 + len(found[0]))
        elif found := _SUBROUTINE.match(text, at):
            name = found[1] or found[2]
            self._write(f"(?{name})" if name.lstrip("+-").isdecimal() else f"(?&{name})", 1 + len(found[0]))
        elif (found := _CODE.match(text, at)) or (found := _PROPERTY.match(text, at)):
            self._code(found)
        elif letter in _REWRITTEN:
            self._write(_REWRITTEN[letter], 2)
        else:
            self._plain_escape(letter, _ALIKE)

    def _plain_escape(self, letter: str, known: frozenset[str]) -> None:
        if not letter:
            raise ValueError("it ends with a backslash")
        if letter.isascii() and letter.isalnum() and letter not in known:
            where = " between [ and ]" if known is _IN_CLASS else ""
            raise ValueError(f'PCRE has no "\\{letter}"{where}, or it is not supported here')
        self._copy(2)

    def _code(self, found: re.Match[str]) -> None:
        """A character by its number, or a property, which stays as it is."""
        length = 1 + len(found[0])
        if found.re is _PROPERTY:
            self._copy(length)
            return
        wide, short, octal, zero, named, control, _ = found.groups()
        if control is not None:
            number = ord(control.upper()) ^ 0x40
        elif wide or named:
            number = int(wide or named, 16)
        elif octal or zero:
            number = int(octal or zero, 8)
        else:
            number = 0x1B if found[0] == "e" else int(short or "0", 16)
        if number > 0x10FFFF:
            raise ValueError(f'"\\{found[0]}" is no character of Unicode')
        self._write(f"\\U{number:08X}", length)

    def _quoted(self) -> None:
        start = self.at + 2
        end = self.text.find(r"\E", start)
        end = len(self.text) if end < 0 else end
        self.out.append(regex.escape(self.text[start:end]))
        self.at = end + 2

    def _absolute(self, sign: str, name: str) -> str:
        if not sign:
            return name
        number = int(name) if name.isdecimal() else 0
        wanted = self.groups + (number if sign == "+" else 1 - number)
        if not number or wanted < 1:
            raise ValueError(f'"\\g{{{sign}{name}}}" refers to no group')
        return str(wanted)

    def _class(self) -> None:
        """What stands between [ and ]."""
        for edge, meaning in _EDGES.items():
            if self.text.startswith(edge, self.at):
                self._write(meaning, len(edge))
                return
        self._copy(1)
        if self.text.startswith("^", self.at):
            self._copy(1)
        first = self.at
        while self.at < len(self.text):
            character = self.text[self.at]
            if character == "]" and self.at > first:
                self._copy(1)
                return
            self._in_class(character)
        raise ValueError("a [ has no ]")

    def _in_class(self, character: str) -> None:
        if character == "\\":
            self._class_escape()
        elif character != "[":
            self._write(r"\]" if character == "]" else character, 1)
        elif found := _POSIX.match(self.text, self.at):
            if found[1] != ":":
                raise ValueError(f'"{found[0]}" is not supported')
            self._copy(len(found[0]))
        else:
            self._write(r"\[", 1)

    def _class_escape(self) -> None:
        text, at = self.text, self.at + 1
        letter = text[at : at + 1]
        if letter == "Q":
            self._quoted()
        elif letter == "E":
            self.at += 2
        elif letter == "v":
            self._write(_VERTICAL, 2)
        elif (found := _CODE.match(text, at)) or (found := _PROPERTY.match(text, at)):
            self._code(found)
        else:
            self._plain_escape(letter, _IN_CLASS)

    def _open(self) -> None:
        text, at = self.text, self.at
        if text.startswith("(*", at):
            verb = _VERB.match(text, at)
            if verb is None or verb[0] not in _VERBS:
                raise ValueError(f'"{verb[0] if verb else "(*"}" is not supported')
            self._copy(len(verb[0]))
        elif text.startswith("(?#", at):
            end = text.find(")", at)
            if end < 0:
                raise ValueError("a comment (?# has no )")
            self.at = end + 1
        elif found := _CALL.match(text, at):
            self._copy(len(found[0]))
        elif text.startswith("(?(", at):
            self._condition()
        elif found := _NAMED.match(text, at):
            self._group(f"(?P<{found[1]}>", len(found[0]))
        elif found := _OPTIONS.match(text, at):
            self._options(found)
        elif text.startswith("(?|", at):
            self.levels.append(_Level(self.levels[-1].extended, self.groups, self.groups))
            self._copy(3)
        elif text.startswith("(?", at):
            self._look(text, at)
        else:
            self._group("(", 1)

    def _group(self, written: str, length: int) -> None:
        self.groups += 1
        self.levels.append(_Level(self.levels[-1].extended))
        self._write(written, length)

    def _look(self, text: str, at: int) -> None:
        for opening in ("(?<=", "(?<!", "(?=", "(?!", "(?>"):
            if text.startswith(opening, at):
                self.levels.append(_Level(self.levels[-1].extended))
                self._copy(len(opening))
                return
        raise ValueError(f'"{text[at : at + 3]}" is not supported')

    def _condition(self) -> None:
        found = _CONDITION.match(self.text, self.at)
        self.levels.append(_Level(self.levels[-1].extended))
        if found is None:
            # A look-around: what stands in it is read as such.
            self._copy(2)
            return
        number, *names = found.groups()
        name = number or next(one for one in names if one)
        if number and number[0] in "+-":
            name = self._absolute(number[0], number[1:])
        elif found[4] in ("R", "VERSION"):
            raise ValueError(f'"{found[0]}" is not supported')
        self._write(f"(?({name})", len(found[0]))

    def _options(self, found: re.Match[str]) -> None:
        level = self.levels[-1]
        extended = level.extended
        on, _, off = found[1].partition("-")
        for letter in on + off:
            if letter not in "imsxJ":
                raise ValueError(f'the option "{letter}" in "{found[0]}" is not supported')
        extended = (extended or "x" in on) and "x" not in off
        # Groups of one name are allowed in any case.
        on, off = ("".join(dict.fromkeys(letters.replace("J", ""))) for letters in (on, off))
        letters = f"{on}-{off}" if off else on
        if found[2] == ")":
            level.extended = extended
            self._write(f"(?{letters})" if letters else "", len(found[0]))
        else:
            self.levels.append(_Level(extended))
            self._write(f"(?{letters}:", len(found[0]))

    def _close(self) -> None:
        if len(self.levels) > 1:
            level = self.levels.pop()
            if level.reset is not None:
                self.groups = max(level.most, self.groups)
        self._copy(1)
