"""Programs that misbehave: real processes, each with what has to become of it."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from dicomprinter.actions.messages import Email, Notice, Webhook
from dicomprinter.actions.programs import Call, Ended
from dicomprinter.engine.dry_run import DryPrograms
from dicomprinter.engine.outside import exchange
from dicomprinter.engine.outside.environment import environment
from dicomprinter.engine.outside.exchange import TooMuchOutputError, Written, _by_threads
from dicomprinter.engine.outside.process_group import ProcessGroup
from dicomprinter.engine.outside.programs import RealPrograms, refuse_for_cmd
from dicomprinter.errors import Interrupted, PermanentError, TransientError
from tests.waiting import wait_until

# A limit that is never reached, but by the clock that a test has set.
LONG = 300.0


class Clock:
    """Goes on as ever until a program has made this file; with the second look after that, its time is over."""

    def __init__(self, sign: Path) -> None:
        self._sign, self._looks = sign, 0

    def monotonic(self) -> float:
        self._looks += self._sign.exists()
        return time.monotonic() + (LONG if self._looks > 1 else 0)


@pytest.fixture
def over_when(monkeypatch):
    """A program's time is over once it has made a file, however long it takes to start."""
    return lambda sign: monkeypatch.setattr(exchange, "time", Clock(sign))


def python(folder: Path, code: str, *arguments: str, timeout: float = LONG, **values) -> Call:
    return Call((sys.executable, "-c", code, *arguments), folder, timeout, **values)


def is_alive(pid: int) -> bool:
    """A process that nobody has waited for yet is as good as gone."""
    try:
        os.kill(pid, 0)
        return sys.platform != "linux" or " Z " not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][:3]
    except (OSError, ValueError):
        return False


def pid_in(file: Path) -> int:
    return int(file.read_text())


def test_what_a_debugger_or_a_log_shows_of_calls_and_messages_names_nobody(tmp_path):
    name = "Muster^Erika"
    written = Written(9, bytearray(name.encode()), bytearray(name.encode()))
    mail = Email("mail", 25, "none", (f"{name}@hospital.example",), "we@hospital.example", name, "", name)
    shown = [
        Call(("look-up", name), tmp_path, 1, name.encode(), {"NAME": name}, shown="look-up"),
        Ended(0, name.encode(), name.encode()),
        written,
        *(Notice("1", "job", "Tell", "#{PatientName}", name, way) for way in (mail, Webhook("web", name, name))),
    ]
    assert all("Muster" not in f"{one!r}{one}" for one in shown)


def test_arguments_input_and_folder_come_as_they_are(tmp_path):
    code = "import os, sys; print(sys.argv[1:], sys.stdin.buffer.read(), os.getcwd()); sys.exit(3)"
    values = ("--help", "a b", "$(id)", '"', "", "`x`;|&", "ä\nö")

    ended = RealPrograms().run(python(tmp_path, code, *values, data="Müller\n".encode()))

    assert ended.code == 3
    assert ended.output.decode().strip() == f"{list(values)} {'Müller'.encode() + bytes([10])!r} {tmp_path.resolve()}"
    with pytest.raises(TransientError, match='"python" ended with exit code 3'):
        ended.check("python")


def test_the_environment_is_no_place_for_passwords(tmp_path, monkeypatch):
    monkeypatch.setenv("SMTP_PASSWORD", "secret")
    monkeypatch.setenv("JAVA_HOME", "/java")
    call = python(
        tmp_path, "import os; print(dict(os.environ))", environment={"FILE1": "x"}, passed_on=("JAVA_HOME", "NONE")
    )

    seen = RealPrograms().run(call).output.decode()

    assert "secret" not in seen
    assert "'JAVA_HOME': '/java'" in seen
    assert "'FILE1': 'x'" in seen
    assert "'PATH'" in seen
    assert "DISPLAY" not in environment()


def test_what_is_not_read_does_not_block(tmp_path):
    ended = RealPrograms().run(python(tmp_path, "print('x')", data=bytes(4 << 20)))

    assert (ended.code, ended.output.strip()) == (0, b"x")


def test_much_is_read_while_much_is_written(tmp_path):
    code = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())"
    data = os.urandom(3 << 20)

    assert RealPrograms().run(python(tmp_path, code, data=data, most_output=len(data))).output == data


def test_one_that_hangs_is_killed_with_its_children(tmp_path, over_when):
    code = (
        "import os, sys, time, signal\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = os.fork()\n"
        "if child: open('child', 'w').write(str(child)); print('out', flush=True); print('why', file=sys.stderr)\n"
        "if child: open('hangs', 'w')\n"
        "time.sleep(600)\n"
    )
    over_when(tmp_path / "hangs")

    with pytest.raises(TransientError, match=r"was stopped: it had not ended after 300 s") as caught:
        RealPrograms().run(python(tmp_path, code))

    assert caught.value.private == "why"
    wait_until(lambda: not is_alive(pid_in(tmp_path / "child")), "the child is gone")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells whose child a daemon was")
def test_a_daemon_of_one_that_hangs_is_found_and_killed(tmp_path, over_when):
    code = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork(): os._exit(0)\n"
        "    open('new', 'w').write(str(os.getpid())); os.rename('new', 'daemon')\n"
        "time.sleep(600)\n"
    )

    over_when(tmp_path / "daemon")

    with pytest.raises(TransientError):
        RealPrograms().run(python(tmp_path, code))

    wait_until(lambda: not is_alive(pid_in(tmp_path / "daemon")), "the daemon is gone")


def test_nobody_waits_for_who_holds_the_pipes(tmp_path):
    # One stays in the group and goes with it, one makes a session of its own and stays.
    code = (
        "import os, time\n"
        "for name in ('left', 'daemon'):\n"
        "    ready, go = os.pipe()\n"
        "    if os.fork() == 0:\n"
        "        if name == 'daemon': os.setsid()\n"
        "        open(name, 'w').write(str(os.getpid()))\n"
        "        os.write(go, b'x'); time.sleep(600)\n"
        "    os.read(ready, 1)\n"
        "print('done', flush=True)\n"
    )

    ended = RealPrograms().run(python(tmp_path, code))

    assert (ended.code, ended.output.strip()) == (0, b"done")
    daemon = pid_in(tmp_path / "daemon")
    assert is_alive(daemon)
    os.kill(daemon, signal.SIGKILL)
    wait_until(lambda: not is_alive(pid_in(tmp_path / "left")), "what was left of the group is gone")


def test_a_flood_is_stopped_and_not_kept(tmp_path):
    code = "import sys\nwhile True: sys.stdout.buffer.write(bytes(1 << 16))"

    with pytest.raises(PermanentError, match="wrote more than 1048576 bytes to standard output"):
        RealPrograms().run(python(tmp_path, code))


def test_of_a_flood_on_standard_error_the_end_is_kept(tmp_path):
    code = "import sys\nsys.stderr.write('x' * (8 << 20) + '\\nthe reason\\n'); sys.exit(1)"

    ended = RealPrograms().run(python(tmp_path, code))

    assert ended.code == 1
    assert len(ended.errors) == 1 << 16
    with pytest.raises(TransientError) as caught:
        ended.check("x")
    assert caught.value.private.endswith("\nthe reason")


def test_the_exchange_of_windows_has_the_same_limits(tmp_path):
    def exchanged(code: str, data: bytes, most: int, timeout: float) -> tuple[bytes, int]:
        group, written = ProcessGroup((sys.executable, "-c", code), tmp_path, environment()), Written(most)
        try:
            _by_threads(group, data, written, time.monotonic() + timeout)
        finally:
            group.kill()
            group.close()
        return bytes(written.output), len(written.errors)

    echo = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read()); sys.stderr.write('x' * (1 << 20))"
    data = os.urandom(3 << 20)
    assert exchanged(echo, data, len(data), LONG) == (data, 1 << 16)
    assert exchanged("print(1)", data, 10, LONG) == (b"1\n", 0)
    with pytest.raises(TooMuchOutputError):
        exchanged("while True: print('x' * 9999)", b"", 1 << 16, LONG)
    with pytest.raises(TimeoutError):
        exchanged("import time; time.sleep(600)", data, 10, 0.5)


def test_a_fork_bomb_ends_with_its_time(tmp_path, over_when):
    # Forks until 40 have been; each of them only waits.
    code = "import os, time\nfor _ in range(40):\n    os.fork() or time.sleep(600)\nopen('all', 'w')\ntime.sleep(600)"

    over_when(tmp_path / "all")

    with pytest.raises(TransientError):
        RealPrograms().run(python(tmp_path, code))

    if sys.platform == "linux":
        here = tmp_path.resolve()
        wait_until(lambda: not any(_works_in(process, here) for process in Path("/proc").glob("[0-9]*")), "all gone")


def _works_in(process: Path, folder: Path) -> bool:
    try:
        return (process / "cwd").readlink() == folder
    except OSError:
        return False


def test_a_signal_is_told_by_its_name(tmp_path):
    ended = RealPrograms().run(python(tmp_path, "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"))

    assert ended.how == "the signal SIGSEGV"
    # Not the wish to discard.
    # What a shell starts in the background has that signal ignored, and with it all that it starts.
    code = "import os, signal; signal.signal(2, signal.SIG_DFL); os.kill(os.getpid(), 2)"
    assert RealPrograms().run(python(tmp_path, code)).code == -2
    assert Ended(0xC0000005, b"", b"").how == "exit code 0xc0000005"


def test_pipes_that_are_closed_are_no_end(tmp_path):
    code = "import os, time; [os.close(n) for n in range(3)]; time.sleep(0.2); open('late', 'w').write('x')"

    assert RealPrograms().run(python(tmp_path, code)).output == b""
    assert (tmp_path / "late").read_text() == "x"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("no-such-program-here", 'there is no program "no-such-program-here".*PATH'),
        ("./script", "neither the full path"),
        ("{folder}/nothing", "there is no program"),
        ("{folder}/data", "may not be run"),
        ("{folder}/text", "no program of this system"),
        ("{folder}/orphan", "interpreter that its first line names is missing"),
        ("{folder}", "there is no program"),
        ("a\0b", "NUL|there is no program"),
    ],
)
def test_what_cannot_be_started_says_why(tmp_path, command, message):
    (tmp_path / "data").write_text("x")
    for name, text in (("text", "exit 0\n"), ("orphan", "#!/no/such/interpreter\n")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)

    with pytest.raises(PermanentError, match=message):
        RealPrograms().run(Call((command.format(folder=tmp_path),), tmp_path, LONG))


def test_arguments_that_are_too_long_are_told(tmp_path):
    with pytest.raises(PermanentError, match="give values by <Input>"):
        RealPrograms().run(python(tmp_path, "", "x" * (8 << 20)))
    with pytest.raises(PermanentError, match="NUL"):
        RealPrograms().run(python(tmp_path, "", "\0"))


def test_no_value_becomes_a_command_of_a_batch_file():
    refuse_for_cmd(("c:/x.bat", "Doe Jane"), "x.bat")
    refuse_for_cmd(("c:/x.exe", "a&calc"), "x.exe")
    with pytest.raises(PermanentError, match=r"cmd\.exe"):
        refuse_for_cmd(("c:/x.CMD", "a&calc"), "x.cmd")


def test_the_end_of_the_service_is_the_end_of_its_programs(tmp_path):
    programs = RealPrograms()
    caught = []

    def run() -> None:
        try:
            programs.run(python(tmp_path, "import os, time; open('pid', 'w').write(str(os.getpid())); time.sleep(600)"))
        except Interrupted as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    wait_until(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text(), "the program runs")
    programs.close()
    thread.join()

    assert len(caught) == 1
    assert not is_alive(pid_in(tmp_path / "pid"))
    with pytest.raises(Interrupted):
        programs.run(python(tmp_path, ""))


def test_a_dry_run_starts_what_only_computes(tmp_path):
    code = "open('seen', 'w'); print(1)"

    assert DryPrograms().run(python(tmp_path, code)) is None
    assert not (tmp_path / "seen").exists()
    assert DryPrograms().run(python(tmp_path, code, only_computes=True)).output.strip() == b"1"
