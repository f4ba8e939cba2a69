"""Notify: the event stream always, then a desktop, a mailbox or an address of the web, each of them real."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dicomprinter.engine.events import Events, NewEvents, older, read_events
from dicomprinter.engine.outside.desktop import body_for_notify_send
from dicomprinter.engine.outside.messenger import DryMessenger
from dicomprinter.job.job import Job
from dicomprinter.workflow.interpreter import Done, Held, Outcome, Suspended
from tests.hooks import Hook
from tests.peers import program
from tests.scp import closed_port
from tests.smtp import Smtp
from tests.system.help import House, perform, png

Run = Callable[[Any], Any]
MESSAGE = "<Message>%1 of %2 (100 %) for #{Job.Host}</Message>"
INPUTS = '<Input tag="PatientName"/><Input tag="AccessionNumber"/>'


class Desk:
    """Runs a job through one Notify."""

    def __init__(self, house: House) -> None:
        self.house = house

    def run(
        self,
        inner: str = "",
        kind: str = "",
        *,
        message: str = MESSAGE + INPUTS,
        job: Job | None = None,
        on_error: str = "Suspend",
    ) -> Outcome:
        action = f'<Notify name="Tell" {kind and f"type={kind!r}"}>{message}{inner}</Notify>'
        loaded = self.house.program(action, perform("Tell", on_error=on_error), suspension=15)
        self.job = job or self.house.job(png(), PatientName="Doe^Jane %2 #{PatientID}", AccessionNumber="A1")
        return self.house.run(loaded, self.job)

    @property
    def story(self) -> str:
        return self.house.messages(self.job)

    @property
    def private(self) -> str:
        return "\n".join(line.get("private", "") for line in self.house.stories[self.job.id])

    @property
    def events(self) -> list[dict[str, Any]]:
        return list(read_events(self.house.spool.events_file))


@pytest.fixture
def desk(house: House, monkeypatch: pytest.MonkeyPatch) -> Desk:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "DBUS_SESSION_BUS_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    return Desk(house)


def text_of(job: Job) -> str:
    # A value is never taken for a number or a placeholder.
    return f"Doe^Jane %2 #{{PatientID}} of A1 (100 %) for {job.facts.host}"


# The event stream


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there may be a desktop")
def test_without_a_desktop_the_event_stream_has_it(desk: Desk) -> None:
    assert desk.run() == Done()
    (event,) = desk.events
    assert event == {
        "time": desk.house.clock().isoformat(timespec="milliseconds"),
        "id": event["id"],
        "kind": "notify",
        "job": desk.job.id,
        "action": "Tell",
        "channel": "desktop",
        "message": "%1 of %2 (100 %) for #{Job.Host}",
        "private": text_of(desk.job),
    }
    assert desk.house.spool.events_file.stat().st_mode & 0o777 == 0o600
    assert "Tell: in the event stream; not on a desktop: neither DISPLAY nor WAYLAND_DISPLAY is set" in desk.story
    assert "Jane" not in desk.story
    assert "Jane" in desk.private


def test_a_workflow_that_comes_back_tells_anew(desk: Desk) -> None:
    action = '<Notify name="Tell"><Message>still waiting</Message></Notify>'
    again = '<Suspend resumeAction="Tell" maxRetries="1"/>'
    loaded = desk.house.program(action, perform("Tell") + again)
    job = desk.house.job(png())
    assert isinstance(desk.house.run(loaded, job), Suspended)
    assert desk.house.resume(loaded, job.id) == Done()
    first, second = (event["id"] for event in desk.events)
    assert first != second


def test_what_the_job_lacks_is_left_empty(desk: Desk) -> None:
    job = desk.house.job(png())
    assert desk.run(message='<Message>[%1] #{PatientID}.</Message><Input tag="PatientName"/>', job=job) == Done()
    assert desk.events[0]["private"] == "[] ."
    assert "the job has no value for #{PatientID}" in desk.story


def test_the_stream_keeps_two_files(tmp_path: Path) -> None:
    events = Events(tmp_path / "events.jsonl", most=200)
    for number in range(20):
        events.add({"number": number, "filling": "x" * 50})
    kept = [event["number"] for event in read_events(events.file)]
    assert kept == list(range(kept[0], 20))
    assert 4 <= len(kept) < 10
    assert older(events.file).stat().st_size < 400
    assert sorted(path.name for path in tmp_path.iterdir()) == ["events.1.jsonl", "events.jsonl"]


def test_what_comes_is_followed_over_the_change_of_files(tmp_path: Path) -> None:
    events = Events(tmp_path / "events.jsonl", most=200)
    new, seen = NewEvents(events.file), []
    for number in range(20):
        events.add({"number": number, "filling": "x" * 50})
        if number % 3 == 0:
            seen += [event["number"] for event in new.take()]
    # Half a line is not one yet.
    with events.file.open("ab") as stream:
        stream.write(b'{"number": 20')
    assert [*seen, *(event["number"] for event in new.take())] == list(range(20))
    assert list(new.take()) == []


def test_a_dry_run_tells_nobody(desk: Desk, running: Run) -> None:
    hook = running(Hook())
    desk.house.tools = replace(desk.house.tools, messenger=DryMessenger())
    assert desk.run() == Done()
    assert "a dry run: it would be shown on the desktop" in desk.story
    assert desk.run(f"<Url>http://127.0.0.1:{hook.port}/</Url>", "Webhook") == Done()
    assert "a dry run: it would be posted to" in desk.story
    assert (desk.events, hook.posted) == ([], [])


# The desktop

_SERVER = """
import dbus, dbus.service, sys
from dbus.mainloop.glib import DBusGMainLoop
from gi.repository import GLib
DBusGMainLoop(set_as_default=True)
NAME = "org.freedesktop.Notifications"

class Notifications(dbus.service.Object):
    @dbus.service.method(NAME, in_signature="susssasa{sv}i", out_signature="u")
    def Notify(self, app, replaces, icon, title, body, actions, hints, timeout):
        open(sys.argv[1], "w").write("\\x1f".join((app, title, body, str(timeout))))
        return 1
    @dbus.service.method(NAME, out_signature="ssss")
    def GetServerInformation(self):
        return "test", "test", "1", "1.2"
    @dbus.service.method(NAME, out_signature="as")
    def GetCapabilities(self):
        return ["body", "body-markup"]

name = dbus.service.BusName(NAME, dbus.SessionBus())
Notifications(dbus.SessionBus(), "/org/freedesktop/Notifications")
print("ready", flush=True)
GLib.MainLoop().run()
"""


@pytest.mark.peer("notify-send", "dbus-daemon")
def test_a_real_notification_on_a_real_bus(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if subprocess.run(["/usr/bin/python3", "-c", "import dbus, gi"], check=False, capture_output=True).returncode:
        pytest.skip("needs python3-dbus and python3-gi")
    daemon = [program("dbus-daemon"), "--session", "--nofork", "--print-address=1"]
    seen = tmp_path / "seen"
    with subprocess.Popen(daemon, stdout=subprocess.PIPE, text=True) as bus:
        try:
            monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", bus.stdout.readline().strip())
            server = ["/usr/bin/python3", "-c", _SERVER, str(seen)]
            with subprocess.Popen(server, stdout=subprocess.PIPE, text=True) as notifications:
                try:
                    assert notifications.stdout.readline() == "ready\n"
                    job = desk.house.job(png(), PatientName="-<b>Doe</b>&^Jane")
                    message = r'<Message>%1 C:\new</Message><Input tag="PatientName"/>'
                    assert desk.run("<Timeout>4000</Timeout>", message=message, job=job) == Done()
                finally:
                    notifications.kill()
        finally:
            bus.kill()
    app, title, body, timeout = seen.read_text("utf-8").split("\x1f")
    assert (app, title, timeout) == ("dicomprinter", "dicomprinter", "4000")
    # As a desktop shows it: markup, in which nothing of the value is markup.
    assert body == r"-&lt;b&gt;Doe&lt;/b&gt;&amp;^Jane C:\new"
    assert "in the event stream, and on the desktop" in desk.story


@pytest.mark.peer("notify-send")
def test_a_bus_that_is_gone_is_no_failure(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/none")
    assert desk.run() == Done()
    assert 'not on a desktop: the program "the desktop\'s notifications" ended with exit code 1' in desk.story
    assert len(desk.events) == 1


def test_nothing_of_a_text_is_read_as_more_than_text() -> None:
    assert body_for_notify_send(r"<a>&\n") == r"&lt;a&gt;&amp;\\n"


# Mails


def mail(server: Smtp, more: str = "<Tls>none</Tls>", to: str = "ward@hospital.example") -> str:
    return (
        f"<To>{to}</To><From>printer@hospital.example</From><SmtpHost>127.0.0.1</SmtpHost>"
        f"<SmtpPort>{server.port}</SmtpPort>{more}"
    )


def test_a_mail_is_sent(desk: Desk, running: Run) -> None:
    server = running(Smtp())
    job = desk.house.job(png(), PatientName="Müller^Jörg\r\nBcc: x@evil.example", AccessionNumber="A1")
    inner = mail(server, "<Tls>none</Tls><Subject>Für #{PatientName}</Subject>", "ward@hospital.example, b@c.example")

    assert desk.run(inner, "Email", job=job) == Done(), desk.story
    (sent,) = server.mails
    assert sent["Subject"].startswith("Für Müller^Jörg")
    assert (sent["To"], sent["From"]) == ("ward@hospital.example, b@c.example", "printer@hospital.example")
    assert server.recipients == ["<ward@hospital.example>", "<b@c.example>"]
    assert "Bcc" not in sent
    assert sent["Auto-Submitted"] == "auto-generated"
    assert sent.get_content().startswith("Müller^Jörg")
    assert desk.events[0]["id"] in sent["Message-ID"]
    assert f"mailed by 127.0.0.1:{server.port}" in desk.story


def test_a_mail_that_was_taken_is_sent_whatever_the_server_says_then(desk: Desk, running: Run) -> None:
    server = running(Smtp({"QUIT": "421 closing"}))
    assert desk.run(mail(server), "Email") == Done(), desk.story
    assert len(server.mails) == 1


def test_a_repetition_is_the_same_mail(desk: Desk, running: Run) -> None:
    server = running(Smtp({"QUIT": ""}))
    job = desk.house.job(png(), PatientName="Doe^Jane", AccessionNumber="A1")
    assert desk.run(mail(server), "Email", job=job) == Done()
    again = desk.house.job(png(), PatientName="Doe^Jane", AccessionNumber="A1")
    again.id = job.id
    assert desk.run(mail(server), "Email", job=again) == Done()
    assert desk.run(mail(server), "Email") == Done()
    first, second, another = (sent["Message-ID"] for sent in server.mails)
    assert first == second != another


@pytest.mark.parametrize(
    ("answers", "more", "outcome", "said"),
    [
        ({"CONNECT": "421 busy"}, "", Suspended, "with 421; it takes nothing now"),
        ({"MAIL": "550 Doe^Jane is unknown"}, "", Suspended, "refused the mail with 550"),
        ({"RCPT": "451 later"}, "", Suspended, "with 451; it takes nothing now"),
        ({"rcpt TO:<b@c.example>": "550 unknown"}, "", Done, "it refused 1 of 2 addresses"),
        ({"DATA": "554 no"}, "", Suspended, "refused the mail with 554"),
        ({"DATA": ""}, "", Suspended, "has not taken the mail: SMTPServerDisconnected"),
        ({"AUTH": "535 wrong"}, "<User>u</User><Password>secret</Password>", Suspended, "the user or the password"),
        ({}, "<Tls>starttls</Tls>", Suspended, "cannot do what the action wants"),
    ],
)
def test_a_mail_server_that_refuses(
    desk: Desk, running: Run, *, answers: dict[str, str], more: str, outcome: type[Outcome], said: str
) -> None:
    server = running(Smtp(answers))
    inner = mail(server, more or "<Tls>none</Tls>", "ward@hospital.example,b@c.example")
    inner = inner if "Tls" in inner else inner + "<Tls>none</Tls>"
    assert isinstance(desk.run(inner, "Email"), outcome)
    assert said in desk.story
    assert "secret" not in desk.story
    assert "Jane" not in desk.story
    # 5yz would come again.
    permanent = "failure is permanent" in desk.story
    assert permanent is any(word in said for word in ("550", "554", "password", "cannot do"))


def test_a_mail_server_that_is_away_and_an_address_that_is_none(desk: Desk, running: Run) -> None:
    server = running(Smtp())
    away = mail(server).replace(str(server.port), str(closed_port()))
    assert isinstance(desk.run(away, "Email"), Suspended)
    assert "has not taken the mail: Connection refused" in desk.story

    assert isinstance(desk.run(mail(server, to="#{PatientName}"), "Email"), Suspended)
    assert "an address of the mail is none" in desk.story
    assert "permanent" in desk.story
    assert server.mails == []


@pytest.mark.peer("openssl")
@pytest.mark.parametrize("is_trusted", [True, False])
def test_a_mail_server_is_known_by_its_certificate(
    desk: Desk, running: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_trusted: bool
) -> None:
    pem = tmp_path / "both.pem"
    make = "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
    subprocess.run(
        [program("openssl"), *make.split(), "-keyout", str(pem), "-out", str(tmp_path / "cert.pem")],
        check=True,
        capture_output=True,
    )
    pem.write_text(pem.read_text() + (tmp_path / "cert.pem").read_text())
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    server = running(Smtp(certificate=pem))
    outcome = desk.run(mail(server, "<User>u</User><Password>secret</Password>"), "Email", on_error="Hold")
    if is_trusted:
        assert outcome == Done()
        assert any(command.startswith("AUTH PLAIN") for command in server.commands)
        assert len(server.mails) == 1
    else:
        assert isinstance(outcome, Held)
        assert "the certificate of the mail server" in outcome.why
        assert not any(command.startswith("AUTH") for command in server.commands)


# Webhooks


def hook_at(hook: Hook, more: str = "") -> str:
    return f"<Url>http://127.0.0.1:{hook.port}/notify?x=1</Url>{more}"


def test_a_message_is_posted(desk: Desk, running: Run) -> None:
    hook = running(Hook())
    assert desk.run(hook_at(hook, "<Token>secret</Token>"), "Webhook") == Done()
    (posted,) = hook.posted
    (event,) = desk.events
    assert posted.path == "/notify?x=1"
    assert posted.body == {
        "version": 1,
        "id": event["id"],
        "time": event["time"],
        "job": desk.job.id,
        "action": "Tell",
        "text": text_of(desk.job),
    }
    assert posted.headers["Authorization"] == "Bearer secret"
    assert posted.headers["Content-Type"] == "application/json"
    assert posted.headers["Idempotency-Key"] == f'"{event["id"]}"'
    assert f"posted to 127.0.0.1:{hook.port} (204)" in desk.story
    assert "secret" not in desk.story


@pytest.mark.parametrize(
    ("status", "is_permanent"),
    [(429, False), (408, False), (500, False), (503, False), (400, True), (401, True), (404, True), (302, True)],
)
def test_a_server_of_the_web_that_refuses(desk: Desk, running: Run, *, status: int, is_permanent: bool) -> None:
    other = running(Hook())
    headers = {"Location": f"http://127.0.0.1:{other.port}/"} if status == 302 else {}
    hook = running(Hook((status, headers), (204, {})))
    assert isinstance(desk.run(hook_at(hook), "Webhook"), Suspended)
    assert f"answered the message with status {status}" in desk.story
    assert ("failure is permanent" in desk.story) is is_permanent
    assert "Jane" not in desk.story
    # What goes to one address goes to no other.
    assert other.posted == []
    assert desk.run(hook_at(hook), "Webhook", job=desk.house.spool.load(desk.job.id)) == Done()
    first, second = (posted.body["id"] for posted in hook.posted)
    assert first == second


def test_a_server_of_the_web_that_is_away(desk: Desk, running: Run) -> None:
    url = f"<Url>http://127.0.0.1:{closed_port()}/</Url>"
    assert isinstance(desk.run(url, "Webhook"), Suspended)
    assert "could not be told the message: Connection refused" in desk.story
    assert isinstance(desk.run(hook_at(running(Hook((0, {})))), "Webhook"), Suspended)
    assert "could not be told the message: RemoteDisconnected" in desk.story
