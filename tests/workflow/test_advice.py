"""What `check` warns about in a workflow, and what it rightly does not: each by a pair."""

from __future__ import annotations

from pathlib import Path

import pytest

from dicomprinter.program import load
from tests.engine.help import with_marks
from tests.links import ROOT
from tests.system.service import configuration, connection

PEER = connection(104, "PEER", host="peer")
ACTIONS = {
    "Ask": f'<Query name="Ask" type="Worklist">{PEER}<DcmTag tag="PatientID">#{{PatientID}}</DcmTag></Query>',
    "AskFirst": f'<Query name="AskFirst" type="Worklist" select="first">{PEER}</Query>',
    "AskForced": f'<Query name="AskForced" force-assignment="true">{PEER}</Query>',
    "AskOperator": '<Query name="AskOperator" type="Manual"/>',
    "Send": f'<Store name="Send">{PEER}</Store>',
    "Backup": f'<Store name="Backup">{PEER}</Store>',
    "Tag": '<SetTag name="Tag"><DcmTag tag="InstitutionName">X</DcmTag></SetTag>',
    "Tool": '<Run name="Tool" type="Console"><Command>tool</Command></Run>',
    "Keep": "<Save name='Keep'><Directory>/out</Directory></Save>",
}


def perform(*names: str, more: str = "") -> str:
    return "".join(f'<Perform action="{name}"{more}/>' for name in names)


def when(field: str, value: str, then: str, otherwise: str = "") -> str:
    return f'<If field="{field}" value="{value}"><Statements>{then}</Statements><Else>{otherwise}</Else></If>'


def switch(field: str, *cases: tuple[str, str]) -> str:
    """A case without a value is the default."""
    inside = "".join(f'<Case value="{value}">{then}</Case>' for value, then in cases)
    return f'<Switch field="{field}">{inside}</Switch>'


def advice(folder: Path, workflow: str, more: str = "") -> list[str]:
    """`Perform Send: message`, a line each; only the actions that the workflow names are declared."""
    file = folder / "config.xml"
    used = "".join(text for name, text in ACTIONS.items() if f'"{name}"' in workflow)
    file.write_text(configuration(used + more, workflow), encoding="utf-8")
    program = load(file, environment={})
    labels = {(node.place.line, node.place.column): node.label for node in program.workflow.walk()}
    return [f"{labels.get((one.line, one.column), 'elsewhere')}: {one.message}" for one in program.advice]


PARTIAL = 'Perform Send: "Send" stores after "{}" without a look at QUERY_PARTIAL'
HELD = perform("AskOperator")


@pytest.mark.parametrize(
    "workflow",
    [
        perform("Ask", "Send"),
        perform("Ask") + when("QUERY_FOUND", "true", perform("Send")),
        perform("Ask") + when("QUERY_FOUND", "false", "<Discard/>") + perform("Tag", "Send"),
        # Looked at on one way only.
        perform("Ask")
        + when("CLIENT_HOST_NAME", "cart", when("QUERY_PARTIAL", "true", "<Discard/>"))
        + perform("Send"),
        # Looked at before the last question.
        perform("AskFirst") + when("QUERY_PARTIAL", "true", "", "") + perform("Ask", "Send"),
        # The Perform takes the select away for nobody: it adds keys alone.
        '<Perform action="Ask"><Query><DcmTag tag="PatientSex">M</DcmTag></Query></Perform>' + perform("Send"),
        perform("Ask") + switch("QUERY_FOUND", ("true", perform("Send"))),
    ],
)
def test_a_store_of_what_no_single_order_was_found_for(workflow: str, tmp_path: Path) -> None:
    assert any(line.startswith(PARTIAL.format("Ask")) for line in advice(tmp_path, workflow))


@pytest.mark.parametrize(
    "workflow",
    [
        perform("Ask") + when("QUERY_PARTIAL", "true", "<Discard/>") + perform("Send"),
        perform("Ask") + when("QUERY_PARTIAL", "false", perform("Send")),
        perform("Ask") + switch("QUERY_PARTIAL", ("1", "<Discard/>")) + perform("Send"),
        perform("Ask") + when("QUERY_FOUND", "true", "<Discard/>", perform("Send")),
        perform("AskFirst", "Send"),
        perform("AskForced", "Send"),
        perform("AskOperator", "Send"),
        # Whether it succeeds or fails, none of several answers is left to choose.
        perform("Ask") + perform("AskFirst", more=' onError="Ignore"') + perform("Send"),
        perform("Ask") + when("QUERY_FOUND", "false", "", perform("AskOperator")) + perform("Send"),
        perform("Ask", "AskOperator", "Send"),
        '<Perform action="Ask"><Query select="last"/></Perform>' + perform("Send"),
        perform("Send", "Ask") + when("QUERY_FOUND", "true", perform("Tag")),
        # The same question has the same answer: whoever was asked for has been looked at.
        when("CLIENT_HOST_NAME", "cart", perform("Ask"))
        + when("CLIENT_HOST_NAME", "cart", when("QUERY_PARTIAL", "true", "<Discard/>"))
        + perform("Send"),
        when("TAG_VALUE(PatientID)", "^$", perform("Tool"), perform("Ask"))
        + when("QUERY_PARTIAL", "true", "<Discard/>")
        + perform("Send"),
        # Going back puts the flags back too.
        perform("Send", "Ask") + when("CLIENT_HOST_NAME", "a", '<Suspend resumeAction="Send" maxRetries="2"/>'),
        perform("Send", "Ask") + when("QUERY_FOUND", "false", '<Suspend resumeAction="Send" maxRetries="2"/>'),
    ],
)
def test_a_store_of_what_was_looked_at(workflow: str, tmp_path: Path) -> None:
    assert [line for line in advice(tmp_path, workflow) if "QUERY_PARTIAL" in line] == []


def test_stores_after_one_query_are_one_warning(tmp_path: Path) -> None:
    assert len(advice(tmp_path, perform("Ask", "Backup", "Send"))) == 1
    assert len(advice(tmp_path, perform("Ask", "Backup", "Ask", "Send"))) == 1


BACK = '<Suspend resumeAction="{}"/>'


@pytest.mark.parametrize(
    ("workflow", "start"),
    [
        (perform("Tag", "Send") + BACK.format("Send"), '"Send"'),
        (perform("Send") + when("CLIENT_HOST_NAME", "cart", BACK.format("Send")), '"Send"'),
        (perform("Ask", "Tag") + when("QUERY_FOUND", "false", BACK.format("Tag")) + perform("Keep"), '"Tag"'),
        (when("TAG_VALUE(PatientID)", "^$", "<Suspend/>") + perform("Send"), "the first node"),
        (
            perform("Send", more=' onError="Ignore"')
            + when("STORE_SUCCEEDED", "false", perform("Tag"))
            + BACK.format("Send"),
            '"Send"',
        ),
        ("<Suspend/>" + perform("Send"), "the first node"),
    ],
)
def test_a_suspend_without_end(workflow: str, start: str, tmp_path: Path) -> None:
    told = [line for line in advice(tmp_path, workflow) if "has no end" in line]
    assert len(told) == 1
    assert told[0].startswith(f"Suspend: <Suspend> has no end: from {start} to here")


@pytest.mark.parametrize(
    "workflow",
    [
        perform("Ask") + when("QUERY_FOUND", "false", BACK.format("Ask")) + perform("Keep"),
        perform("Tag", "Send") + BACK.format("Send").replace("/>", ' maxRetries="3"/>'),
        perform("Send", more=' onError="Ignore"') + when("STORE_SUCCEEDED", "false", BACK.format("Send")),
        perform("Tool") + when("TAG_VALUE(PatientID)", "^$", BACK.format("Tool")) + perform("Send"),
        perform("Ask") + when("TAG_VALUE(PatientID)", "^$", "<Suspend/>") + perform("Keep"),
        perform("AskOperator") + when("TAG_VALUE(PatientID)", "^$", "<Suspend/>") + perform("Keep"),
        # Forward: it only waits once.
        when("CLIENT_HOST_NAME", "cart", BACK.format("Send")) + perform("Send"),
        # The way back leads past a Discard that the peer may decide.
        perform("Ask", "Tag") + when("QUERY_FOUND", "true", "<Discard/>") + BACK.format("Ask") + perform("Keep"),
        # It never waits at all.
        perform("Send") + '<Suspend resumeAction="Send" maxRetries="0"/>',
    ],
)
def test_a_suspend_that_may_end(workflow: str, tmp_path: Path) -> None:
    assert [line for line in advice(tmp_path, workflow) if "has no end" in line] == []


@pytest.mark.parametrize(
    ("workflow", "told"),
    [
        (
            perform("Send") + "<Discard/>" + perform("Backup", "Tag"),
            'Perform Backup: the Perform of "Backup", "Tag" is never reached: the <Discard> before it ends the job',
        ),
        (
            perform("Ask", "Keep") + when("QUERY_FOUND", "false", BACK.format("Ask") + perform("Tag")),
            'Perform Tag: the Perform of "Tag" is never reached: '
            "the <Suspend> before it has no maxRetries, so the job never goes on after it",
        ),
        (
            when("CLIENT_HOST_NAME", "a", perform("Keep") + "<Discard/>", "<Discard/>") + perform("Send"),
            'Perform Send: the Perform of "Send" is never reached: every way before it ends the job or goes back',
        ),
        (
            when("QUERY_FOUND", "true", perform("Tag")) + perform("Keep"),
            'Perform Tag: the Perform of "Tag" is never reached: QUERY_FOUND is never true here',
        ),
        (
            perform("Send") + when("STORE_SUCCEEDED", "true", "", "<Discard/>"),
            "Discard: <Discard> is never reached: STORE_SUCCEEDED is always true here",
        ),
        (
            perform("Send") + when("STORE_SUCCEEDED", "false", perform("Backup")),
            'Perform Backup: the Perform of "Backup" is never reached: STORE_SUCCEEDED is never false here',
        ),
        (
            when("CLIENT_HOST_NAME", "a", when("CLIENT_HOST_NAME", "b", perform("Send"))) + perform("Keep"),
            'Perform Send: the Perform of "Send" is never reached: CLIENT_HOST_NAME is never "b" here',
        ),
        (
            switch("PRINTED_FILE_NAME", ("a", ""), ("a", perform("Send"))),
            'Perform Send: the Perform of "Send" is never reached: '
            'the case "a" of Switch PRINTED_FILE_NAME stands there twice, and the first is taken',
        ),
        (
            switch("TAG_VALUE(PatientSex)", (".*", ""), ("F", "")) + perform("Send"),
            'Switch TAG_VALUE(0010,0040): the case "F" of Switch TAG_VALUE(0010,0040) can never match here',
        ),
        (
            perform("Ask") + when("QUERY_FOUND", "false", when("QUERY_PARTIAL", "true", perform("Send"))),
            'Perform Send: the Perform of "Send" is never reached: QUERY_PARTIAL is never true here',
        ),
        (
            perform("Ask") + when("QUERY_PARTIAL", "true", when("QUERY_FOUND", "false", perform("Send"))),
            'Perform Send: the Perform of "Send" is never reached: QUERY_FOUND is never false here',
        ),
        (
            perform("AskFirst") + switch("QUERY_FOUND", ("1", ""), ("0", ""), ("", perform("Send"))),
            'Perform Send: the Perform of "Send" is never reached: '
            "one of the cases before the default of Switch QUERY_FOUND always matches",
        ),
    ],
)  # fmt: skip
def test_what_no_way_leads_to(workflow: str, told: str, tmp_path: Path) -> None:
    assert [line for line in advice(tmp_path, workflow) if "never reached" in line or "never match" in line] == [told]


@pytest.mark.parametrize(
    "workflow",
    [
        perform("Send", more=' onError="Ignore"') + when("STORE_SUCCEEDED", "false", perform("Backup")),
        perform("Ask") + when("QUERY_PARTIAL", "true", "<Discard/>") + perform("Send"),
        when("CLIENT_HOST_NAME", "a", "<Discard/>") + perform("Send"),
        when("CLIENT_HOST_NAME", "a", "", when("CLIENT_HOST_NAME", "b", perform("Send"))),
        # A value counts for what it is whatever its capitals, where the If says so.
        '<If field="CLIENT_HOST_NAME" value="A" caseSensitive="false">'
        + when("CLIENT_HOST_NAME", "a", perform("Send"))
        + "</If>",
        # Another answer may have come in between.
        when("TAG_VALUE(PatientID)", "x", perform("AskOperator") + when("TAG_VALUE(PatientID)", "x", perform("Send"))),
        # Reached by going on there, not by going there.
        when("CLIENT_HOST_NAME", "a", BACK.format("Send"), "<Discard/>") + perform("Tag", "Send"),
        perform("Ask") + when("QUERY_FOUND", "false", BACK.format("Ask").replace("/>", ' maxRetries="1"/>')
        + perform("AskOperator")) + perform("Keep"),
        switch("CLIENT_HOST_NAME", ("a", ""), ("A", ""), ("", perform("Send"))),
    ],
)  # fmt: skip
def test_what_some_way_leads_to(workflow: str, tmp_path: Path) -> None:
    told = [line for line in advice(tmp_path, workflow) if "never reached" in line or "never match" in line]
    # Between an unlimited Suspend's branch and its target nothing runs.
    assert [line for line in told if not line.startswith("Perform Tag")] == []


def test_what_a_suspend_alone_leads_back_to(tmp_path: Path) -> None:
    """A Perform that nothing but a Suspend reaches is reached all the same, with what follows it."""
    workflow = (
        when("CLIENT_HOST_NAME", "a", "<Discard/>" + perform("Tag", "Send"))
        + perform("Keep")
        + when("CLIENT_HOST_NAME", "b", '<Suspend resumeAction="Tag" maxRetries="1"/>')
    )
    assert advice(tmp_path, workflow) == []


def test_what_happened_before_a_suspend_counts_where_it_goes_back_to(tmp_path: Path) -> None:
    workflow = (
        when(
            "CLIENT_HOST_NAME",
            "a",
            "<Discard/>" + perform("Tag") + when("STORE_SUCCEEDED", "true", perform("Backup")),
        )
        + perform("Send", more=' onError="Ignore"')
        + when("CLIENT_HOST_NAME", "b", '<Suspend resumeAction="Tag" maxRetries="1"/>')
    )
    assert advice(tmp_path, workflow) == []


def test_a_site_s_own_action_may_do_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No flag, no tag and no outlet is sure of it."""
    with_marks(monkeypatch)
    workflow = perform("Mark") + when("QUERY_FOUND", "true", when("STORE_SUCCEEDED", "false", perform("Mark")))
    workflow += when("QUERY_PARTIAL", "true", "<Suspend/>")
    assert advice(tmp_path, workflow, '<Mark name="Mark"/>') == []


def test_an_action_that_is_never_performed(tmp_path: Path) -> None:
    assert advice(tmp_path, perform("Send"), ACTIONS["Tag"]) == [
        'elsewhere: the workflow never performs the action "Tag"'
    ]
    assert advice(tmp_path, perform("Send"), ACTIONS["Ask"]) == [
        'elsewhere: the workflow never performs the action "Ask"'
    ]
    # Operators may use the other queries for a Manual one.
    assert advice(tmp_path, perform("AskOperator", "Send"), ACTIONS["Ask"]) == []


@pytest.mark.parametrize("workflow", ["", perform("Tag"), perform("AskFirst", "Tag")])
def test_a_workflow_from_which_nothing_leaves(workflow: str, tmp_path: Path) -> None:
    assert advice(tmp_path, workflow) == ["elsewhere: nothing leaves: the workflow stores, saves and prints nothing"]


@pytest.mark.parametrize("name", ["Send", "Keep", "Tool"])
def test_a_workflow_from_which_something_leaves(name: str, tmp_path: Path) -> None:
    assert advice(tmp_path, perform(name)) == []


def save(directory: str, more: str = "") -> str:
    return f'<Save name="Files"><Directory>{directory}</Directory>{more}</Save>'


@pytest.mark.parametrize(
    ("action", "shown"),
    [
        (save("/out/#{PatientName}"), "#{PatientName}"),
        (save("/out/#{0010,0020}"), "#{0010,0020}"),
        (save("/out", "<Filename>#{PatientID}_#{Date}_#{PatientBirthDate}</Filename>"),
         "#{PatientBirthDate}, #{PatientID}"),
        (save("/out/#{ReferringPhysicianName}"), "#{ReferringPhysicianName}"),
    ],
)  # fmt: skip
def test_patient_data_in_names_of_files(action: str, shown: str, tmp_path: Path) -> None:
    assert advice(tmp_path, '<Perform action="Files"/>', action) == [
        f'elsewhere: "Files" puts patient data in plain text into names of files and folders: {shown}'
    ]


@pytest.mark.parametrize(
    "action",
    [
        save("/out/#{Date}/#{Job.Id}", "<Filename>#{Modality}</Filename>"),
        # The files keep their own names.
        save("/out", "<Format>dxi</Format><Filename>#{PatientID}</Filename>"),
    ],
)
def test_names_of_files_that_tell_nothing(action: str, tmp_path: Path) -> None:
    assert advice(tmp_path, '<Perform action="Files"/>', action) == []


def test_every_warning_has_a_place_and_a_way_out(tmp_path: Path) -> None:
    file = tmp_path / "config.xml"
    actions = "".join(ACTIONS.values()) + save("/out/#{PatientID}")
    workflow = perform("Ask", "Send") + "<Suspend/>" + perform("Tag")
    file.write_text(configuration(actions, workflow), encoding="utf-8")
    told = load(file, environment={}).advice
    assert len(told) >= 8
    assert all(one.line == 1 and one.column > 1 and one.suggestion for one in told)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("seed.xml", ["QUERY_PARTIAL"]),
        ("field-dialect.xml", ["QUERY_PARTIAL"]),
        ("report-with-worklist.xml", []),
        ("scan-to-pacs.xml", []),
        ("two-archives.xml", []),
    ],
)
def test_the_examples(name: str, expected: list[str]) -> None:
    told = load(ROOT / "examples" / name, environment={}).remarks
    assert len(told) == len(expected)
    assert all(word in str(one) for word, one in zip(expected, told, strict=True))


def test_a_file_that_asks_too_much_at_once_is_walked_without_every_answer(tmp_path: Path) -> None:
    """Thirty Stores that may each fail have a thousand million outcomes."""
    names = [f"S{index}" for index in range(30)]
    actions = "".join(f'<Store name="{name}">{PEER}</Store>' for name in names) + ACTIONS["Ask"]
    asked = "".join(
        f'<If field="STORE_SUCCEEDED" tag="{name}" value="false">'
        f'<Statements><Suspend resumeAction="{name}" maxRetries="1"/></Statements>'
        '<Else><Perform action="Tag"/></Else></If>'
        for name in names
    )
    workflow = perform("Ask") + perform(*names, more=' onError="Ignore"') + asked
    told = advice(tmp_path, workflow.replace('"Ask"', "'Ask'"), actions)
    assert told == [
        'Perform S0: "S0" stores after "Ask" without a look at QUERY_PARTIAL: '
        "when several answers fit, none is taken, and what the file brought is stored"
    ]


def test_many_hosts_are_walked_quickly_and_with_every_answer(tmp_path: Path) -> None:
    """A list of hosts, each of which excludes the others, twice."""
    hosts = [f"host{index}" for index in range(150)]
    workflow = "".join(when("CLIENT_HOST_NAME", host, perform("Tag")) for host in hosts)
    workflow += when("CLIENT_HOST_NAME", "host7", when("CLIENT_HOST_NAME", "host8", perform("Backup"))) + perform(
        "Send"
    )
    told = advice(tmp_path, workflow)
    assert told == ['Perform Backup: the Perform of "Backup" is never reached: CLIENT_HOST_NAME is never "host8" here']
