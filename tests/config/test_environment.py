"""`${VAR}` and `${VAR:-default}`: where values come from, where they may stand, what is said when one lacks."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from dicomprinter.actions.store.action import Store
from dicomprinter.actions.tags.set_tag import SetTag
from dicomprinter.config import environment
from dicomprinter.config.environment import ENV_FILES, expand, read_environment, unclosed
from dicomprinter.errors import ConfigError, InputError
from dicomprinter.program import load
from dicomprinter.workflow.nodes import Perform
from tests.config.help import STORE, config, loaded, problems

HOST = config(STORE.replace(">h<", ">${PACS_HOST}<"))


def put(folder: Path, name: str, text: str) -> None:
    file = folder / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${A}", "1"),
        ("x${A}y${A}z", "x1y1z"),
        ("${A}${B}", "1"),
        ("${A:-2}", "1"),
        ("${C:-2}", "2"),
        ("${C:-}", ""),
        ("${C:-a b:-c}", "a b:-c"),
        # Set, but empty: that is a value.
        ("${B:-2}", ""),
        # A value is not read again.
        ("${LOOP}", "${A}"),
        ("$A $ {A} ${} #{PatientID}", "$A $ {A} ${} #{PatientID}"),
        ("costs $5 in $", "costs $5 in $"),
    ],
)
def test_a_reference_is_filled_in(text: str, expected: str) -> None:
    assert expand(text, {"A": "1", "B": "", "LOOP": "${A}"}) == (expected, [])
    assert unclosed(text) is None


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("${PACS_HOST", "${PACS_HOST}"),
        ("${FOO Scan #{Job.Name}", "${FOO}"),
        ("${FOO Scan ${A}", "${FOO}"),
        ("${FOO:-x #{PatientID}", "${FOO}"),
        ("${A} costs ${", "${NAME}"),
    ],
)
def test_a_reference_without_its_closing_brace_is_an_error(tmp_path: Path, text: str, meant: str) -> None:
    assert unclosed(text) == meant
    for document in (config(STORE.replace(">h<", f">{text}<")), config(STORE.replace('"Send"', f'"{text}"'))):
        place = document[: document.index("${")].rindex("<") + 1
        assert problems(tmp_path, document, {"A": "1", "FOO": "2"}) == [
            f"config.xml:1:{place}: a variable has no closing brace; write {meant}"
        ]


def test_what_is_not_set_is_named_once_for_each_place() -> None:
    assert expand("${A}-${B}-${A}", {}) == ("--", ["A", "B", "A"])


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("PACS_HOST=a", "a"),
        ("  export PACS_HOST = a  ", "a"),
        ('PACS_HOST="a b"', "a b"),
        ("PACS_HOST='a b'", "a b"),
        ("PACS_HOST='", "'"),
        ("PACS_HOST=a=b", "a=b"),
        ('PACS_HOST = "127.0.0.1"  # comment', "127.0.0.1"),
        ("PACS_HOST='a # b' # comment", "a # b"),
        ("PACS_HOST=a b # comment", "a b"),
        ("PACS_HOST=a#b", "a#b"),
        ("PACS_HOST= # comment", ""),
        ('PACS_HOST="a" and "b"', '"a" and "b"'),
        ("PACS_HOST=", ""),
        ("PACS_HOST=größer", "größer"),
        ("\ufeffPACS_HOST=a", "a"),
        ("# PACS_HOST=b\nnot an assignment\n1X=y\nPACS_HOST=a\n", "a"),
        ("PACS_HOST=b\r\nPACS_HOST=a\r\n", "a"),
    ],
)
def test_a_line_of_an_env_file(tmp_path: Path, line: str, value: str) -> None:
    put(tmp_path, ".env", line)
    assert read_environment(tmp_path, {}) == {"PACS_HOST": value}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("A=1\nPACS HOST=geheim\n", ".env:2:1: the line is not of the form NAME=value and sets nothing"),
        ("A=1\n\n# fine\nA='geheim\n", ".env:4:1: the value of A begins with a quote that does not end it"),
        ('A="geheim" und', ".env:1:1: the value of A begins with a quote that does not end it"),
        ("A='x' # fine\n\n  # fine\nexport B=\"\"\n", ""),
    ],
)
def test_a_line_that_says_nothing_is_told_without_its_text(tmp_path: Path, text: str, said: str) -> None:
    put(tmp_path, ".env", text)
    told = "".join(str(fault) for fault in loaded(tmp_path, config(STORE)).warnings)
    assert said in told
    assert bool(told) == bool(said)
    assert "geheim" not in told
    with pytest.raises(ConfigError) as caught:
        loaded(tmp_path, HOST)
    assert said in "".join(str(fault) for fault in caught.value.warnings)


def test_later_files_win_and_the_process_wins_over_all(tmp_path: Path) -> None:
    assert ENV_FILES == (".env", ".env.local", "config/.env", "config/.env.local")
    for name in ENV_FILES:
        put(tmp_path, name, f"PACS_HOST={name.replace('/', '-').replace('.', '')}")
        (store,) = loaded(tmp_path, HOST).actions.values()
        assert isinstance(store, Store)
        assert store.peer.host == name.replace("/", "-").replace(".", "")
    (store,) = loaded(tmp_path, HOST, {"PACS_HOST": "process"}).actions.values()
    assert isinstance(store, Store)
    assert store.peer.host == "process"


def test_an_earlier_file_still_gives_what_a_later_one_does_not_name(tmp_path: Path) -> None:
    put(tmp_path, ".env", "A=1\nB=1")
    put(tmp_path, "config/.env", "B=2")
    assert read_environment(tmp_path, {}) == {"A": "1", "B": "2"}


def test_without_a_base_no_file_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, ".env", "PACS_HOST=a")
    monkeypatch.chdir(tmp_path)
    assert read_environment(None, {}) == {}


def test_the_real_environment_is_the_process_s(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PACS_HOST", "real")
    put(tmp_path, ".env", "PACS_HOST=a")
    assert read_environment(tmp_path)["PACS_HOST"] == "real"
    assert read_environment(None) == dict(os.environ)
    file = tmp_path / "config.xml"
    file.write_text(HOST, encoding="utf-8")
    action = load(file).actions["Send"]
    assert isinstance(action, Store)
    assert action.peer.host == "real"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path, ".env", "A=1")

    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(environment.Path, "read_text", refuse)
    with pytest.raises(InputError, match=r"\.env; Permission denied"):
        read_environment(tmp_path, {})


@pytest.mark.parametrize(
    ("variables", "text"), [({"D": "abc"}, "abc"), ({}, "#{PatientID}"), ({"D": "#{StudyDate}"}, "#{StudyDate}")]
)
def test_a_default_may_hold_a_placeholder(variables: dict[str, str], text: str) -> None:
    assert expand("<${D:-#{PatientID}}>", variables) == (f"<{text}>", [])


def test_what_follows_from_an_unset_variable_is_not_told(tmp_path: Path) -> None:
    document = config(
        '<Notify name="A" mandatory="${A}"><Message>m</Message></Notify>'
        '<Store name="Send" calledAE="P" host="${B}" port="104"/>',
        "<Perform action='Send'/>",
        sections="<DropMonitor><ConvertToPNG>${C}</ConvertToPNG></DropMonitor>",
    )
    file = tmp_path / "config.xml"
    file.write_text(document, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(file, environment={})
    told = [str(problem) for problem in (*caught.value.problems, *caught.value.warnings)]
    assert [line for line in told if "\0" in line] == []
    assert [f'the variable "{name}" is not set' in "".join(told) for name in "ABC"] == [True] * 3
    assert len(caught.value.problems) == 3


def test_references_work_in_texts_attributes_and_names(tmp_path: Path) -> None:
    document = config(
        STORE.replace('"Send"', '"${NAME}"').replace(">104<", ">${PORT:-11112}<")
        + '<SetTag name="Set" tag="${TAG}"><![CDATA[${TEXT}]]></SetTag>',
        '<Perform action="${NAME}" onError="${POLICY:-Hold}"/>',
    )
    program = loaded(tmp_path, document, {"NAME": "Send & go", "TAG": "PatientID", "TEXT": "<#{Job.Name}>"})
    store, tag = program.actions.values()
    assert isinstance(store, Store)
    assert isinstance(tag, SetTag)
    assert (store.name, store.peer.port) == ("Send & go", 11112)
    assert tag.tags[0].text.source == "<#{Job.Name}>"
    (perform,) = program.workflow.root
    assert isinstance(perform, Perform)
    assert perform.action == "Send & go"


def test_a_value_may_hold_what_xml_cannot(tmp_path: Path) -> None:
    odd = "a\x01\x1f\udcff\ufffe\U0001f600"
    program = loaded(tmp_path, config('<SetTag name="Set" tag="PatientID">${ODD}</SetTag>'), {"ODD": odd})
    (tag,) = program.actions.values()
    assert isinstance(tag, SetTag)
    assert tag.tags[0].text.source == odd


def test_a_comment_needs_no_variable(tmp_path: Path) -> None:
    assert loaded(tmp_path, config(STORE + "<!-- ${NOWHERE} --><?site ${NOWHERE} ?>")).actions


def test_an_unset_variable_is_named_with_its_place(tmp_path: Path) -> None:
    document = config(f"\n  {STORE.replace('>h<', '>${PACS_HOST}<')}", '\n<Perform action="Send" onError="${POLICY}"/>')
    host = document.splitlines()[1].index("<Host>") + 1
    hint = f"set it in the environment or in {tmp_path}/.env, or give a default: "
    assert [line for line in problems(tmp_path, document) if "is not set" in line] == [
        f'config.xml:2:{host}: the variable "PACS_HOST" is not set; {hint}${{PACS_HOST:-…}}',
        f'config.xml:3:1: the variable "POLICY" is not set; {hint}${{POLICY:-…}}',
    ]


def test_an_unset_variable_without_a_base_directory_says_that_no_env_file_was_read(tmp_path: Path) -> None:
    file = tmp_path / "config.xml"
    file.write_text(HOST, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(file, environment={})
    (problem,) = caught.value.problems
    assert problem.suggestion == (
        "set it in the environment (no .env was read: --base names the base directory), "
        "or give a default: ${PACS_HOST:-…}"
    )


def test_an_unset_variable_is_all_that_is_said_of_its_value(tmp_path: Path) -> None:
    store = (
        STORE.replace(">h<", ">${A}<")
        .replace(">104<", ">${B}<")
        .replace("</Store>", '<ColorMode mode="${C}"/></Store>')
    )
    notify = '<Notify name="${D}"><Message>${E}</Message><Input tag="${F}"/></Notify>'
    flow = (
        '<Perform action="${G}" onError="${H}"/><Suspend resumeAction="${I}" maxRetries="${J}"/>'
        '<If field="${K}" value="${L}"/><If field="TAG_VALUE" tag="${M}" value="${N}"/>${O}'
        '<Switch field="QUERY_FOUND"><Case value="${P}"/></Switch><If field="STORE_SUCCEEDED" tag="${Q}" value="1"/>'
    )
    lines = problems(tmp_path, config(store + notify, flow))
    assert sorted(line.partition('the variable "')[2][:13] for line in lines) == [
        f'{name}" is not set' for name in "ABCDEFGHIJKLMNOPQ"
    ]


def test_what_else_is_wrong_is_still_said(tmp_path: Path) -> None:
    document = config(STORE.replace(">h<", ">${A}<").replace(">104<", ">0<"), '<Perform action="Sent" onError="${B}"/>')
    first, port, *others = problems(tmp_path, document)
    assert '"A" is not set' in first
    assert "0 is not a port" in port
    assert ['"B" is not set' in line or 'did you mean "Send"?' in line for line in others] == [True, True]
