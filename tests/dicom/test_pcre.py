r"""What PCRE means by an expression, after its documentation: each row an expression, a text, and what it matches."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomprinter.dicom.pcre import compiled, translated


@pytest.mark.parametrize(
    ("expression", "text", "match"),
    [
        # Look-behind, options, names.
        (r"(?<=a+)b", "aab", "b"),
        (r"(?<!a{1,3})b", "aab", None),
        (r"b(?i)a", "bA", "bA"),
        (r"b(?i)a", "BA", None),
        (r"((?i)a)b", "AB", None),
        (r"(?i:a)b", "Ab", "Ab"),
        (r"(?i)a(?-i)b", "AB", None),
        (r"(?<n>a)(?P<m>b)(?'o'c)", "abc", "abc"),
        (r"(?<n>a)\k<n>\k'n'\k{n}\g{n}(?P=n)", "aaaaaa", "aaaaaa"),
        (r"(?J)(?<n>a)|(?<n>b)", "b", "b"),
        # Groups by number, calls, branch reset, conditions.
        (r"(a)\g1\g{1}\g{-1}", "aaaa", "aaaa"),
        (r"(a)\g{1}0", "aa0", "aa0"),
        (r"(a)\g{-1}(b)\g{-2}\g{-1}", "aabab", "aabab"),
        (r"\g{+1}?(a)", "a", "a"),
        (r"(a|b\g<1>c)+", "bac", "bac"),
        (r"(?<n>a|b\g'n'c)+", "bbacc", "bbacc"),
        (r"^(\((?:[^()]|(?1))*\))$", "(a(b)c)", "(a(b)c)"),
        (r"^(?<n>\((?:[^()]|(?&n))*\))$", "((()))", "((()))"),
        (r"(?|(a)|(b))\1", "bb", "bb"),
        (r"(?|(a)(b)|(c))(d)\g{-1}", "cdd", "cdd"),
        (r"(?|(a)(b)|(c))(d)\3", "cdd", "cdd"),
        (r"(a)?(?(1)b|c)", "ab", "ab"),
        (r"(?<n>a)?(?(<n>)b|c)", "ab", "ab"),
        (r"(?<n>a)?(?('n')b|c)", "c", "c"),
        (r"(a)?(?(-1)b|c)", "ab", "ab"),
        (r"(?(?=a)ab|cd)", "cd", "cd"),
        (r"(?(DEFINE)(?<x>a+))b(?&x)", "baa", "baa"),
        # Repetitions that give nothing back, and what is none.
        (r"a++b", "aab", "aab"),
        (r"a*+a", "aaa", None),
        (r"(?>a+)b", "aab", "aab"),
        (r"a{2}", "aa", "aa"),
        (r"a{e<=1}", "a{e<=1}", "a{e<=1}"),
        (r"(?:ab){i}", "axb", None),
        (r"{x}", "{x}", "{x}"),
        # Quoted.
        (r"\Qa.b(\E+", "a.b((", "a.b(("),
        (r"[\Q]-[\E]+", "[-]", "[-]"),
        (r"a\E\Q", "a", "a"),
        # Classes.
        (r"[]a]+", "]a", "]a"),
        (r"[^]a]", "]b", "b"),
        (r"[[a]+", "[a", "[a"),
        (r"[a&&b]+", "a&b", "a&b"),
        (r"[[:alpha:]_]+", "é_1", "é_"),
        (r"[[:^digit:]]", "1a", "a"),
        (r"[[:<:]]b[[:>:]]", "ab b", "b"),
        (r"[\v]", "\x85", "\x85"),
        (r"[\x{41}-\x43\e]+", "AC\x1b", "AC\x1b"),
        # Characters.
        (r"\h+", "\t \xa0", "\t \xa0"),
        (r"\H", " a", "a"),
        (r"\v", "\u2028", "\u2028"),
        (r"\V+", "\n\x85ab", "ab"),
        (r"\R", "\r\n", "\r\n"),
        (r"\N+", "\nab\n", "ab"),
        (r"\N{U+e9}", "é", "é"),
        (r"\x{1F600}", "\U0001f600", "\U0001f600"),
        (r"\x41\x4", "A\x04", "A\x04"),
        (r"\o{101}\012\0", "A\n\0", "A\n\0"),
        (r"\e\cA\c[", "\x1b\x01\x1b", "\x1b\x01\x1b"),
        (r"\p{Lu}\pL\p{^L}", "Aa1", "Aa1"),
        (r"foo\Kbar", "foobar", "bar"),
        (r"b\Z", "b\n", "b"),
        (r"b\z", "b\n", None),
        (r"b$", "b\n", "b"),
        (r"\-\_\<\/", "-_</", "-_</"),
        # Comments.
        (r"a(?#)(b)c", "ac)", None),
        (r"a(?#(b)c", "ac", "ac"),
        ("(?x) a b # ) [ \\m\n c", "abc", "abc"),
        ("(?x: a [ ] )# b", "a # b", "a # b"),
        (r"(?x)\Qa b#\E", "a b#", "a b#"),
        # Verbs.
        (r"(*UTF8)(*UCP)é", "é", "é"),
        (r"a(*FAIL)|b", "ab", "b"),
        (r"a+(*SKIP)b|a", "aac", None),
    ],
)
def test_an_expression_means_what_pcre_means(expression: str, text: str, match: str | None) -> None:
    found = compiled(expression).search(text)
    assert (found and found[0]) == match


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        (r"a\m", r'PCRE has no "\m"'),
        (r"\u0041", r'PCRE has no "\u"'),
        (r"\L<names>", r'PCRE has no "\L"'),
        (r"[\R]", r'PCRE has no "\R" between [ and ]'),
        (r"[\H]", r'"\H" between [ and ]'),
        (r"\C", r'"\C", or it is not supported here'),
        ("(?U)a", 'the option "U" in "(?U)" is not supported'),
        ("(?n)a", 'the option "n"'),
        ("(?^)a", 'the option "^"'),
        ("(?V1)a", '"(?V" is not supported'),
        ("(?r)a", 'the option "r"'),
        ("(?e:a)", 'the option "e"'),
        ("(?C1)a", '"(?C" is not supported'),
        ("(*ACCEPT)", '"(*ACCEPT)" is not supported'),
        ("(*pla:a)", '"(*pla:a)" is not supported'),
        ("a(*UTF8)", '"(*UTF8)" is not supported'),
        ("(?(R)a|b)", '"(?(R)" is not supported'),
        ("[[.a.]]", '"[.a.]" is not supported'),
        ("[[:foo:]]", "unknown property"),
        (r"\g{-1}(a)", "refers to no group"),
        (r"(a)\2", "group reference"),
        (r"\x{110000}", "no character of Unicode"),
        ("[a", "a [ has no ]"),
        ("(a", "missing )"),
        ("a)", "unbalanced"),
        ("(?#a", "has no )"),
        ("a\\", "ends with a backslash"),
        ("*", "nothing to repeat"),
    ],
)
def test_what_there_is_not_is_refused_by_its_name(expression: str, words: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the words are looked at below
        compiled(expression)
    assert words in str(caught.value)


def test_what_is_nested_too_deeply_is_refused() -> None:
    with pytest.raises(ValueError, match="too deeply"):
        compiled("(" * 20_000)


def test_a_place_is_told_where_it_is_that_of_the_text() -> None:
    with pytest.raises(ValueError, match="at position 1"):
        compiled("a)")
    with pytest.raises(ValueError, match=r"^(?!.*position)"):
        compiled(r"\Qxxxxxx\E)")


@given(st.text(alphabet="ab1 .*+?|^$-&~#\\", max_size=30))
def test_what_both_read_alike_stays_as_it_is(text: str) -> None:
    plain = text.replace("\\", "")
    assert translated(plain) == plain


@given(st.text(alphabet=r"ab1()[]{}<>?*+|\QEgkxhvN:'=!-#", max_size=20))
def test_any_text_is_an_expression_or_refused(text: str) -> None:
    with suppress(ValueError):
        compiled(text)
