"""`dicomprinter service` under systemd; the machine's own is neither asked nor changed."""

from __future__ import annotations

import grp
import json
import os
import pwd
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from dicomprinter.cli.main import invoke
from dicomprinter.engine.spool import Spool
from dicomprinter.errors import InputError, PermanentError
from dicomprinter.service.installation import Installation
from dicomprinter.service.state import contents, last_error
from dicomprinter.service.systemd import Systemd
from tests.system.service import configuration, connection

STORE = f'<Store name="Send">{connection(104, "PACS")}</Store>'
UNIT = Path("etc/systemd/system/dicomprinter.service")
ENABLED = Path("etc/systemd/system/multi-user.target.wants/dicomprinter.service")
# A user that every Linux has, and who is not root.
NOBODY = "nobody"


@dataclass
class Programs:
    """Stands for the system's programs: keeps what is run, answers as told."""

    answers: dict[str, tuple[int, str, str]] = field(default_factory=dict)
    ran: list[tuple[str, str | None]] = field(default_factory=list)

    def __call__(self, command: Sequence[str], user: str | None = None) -> subprocess.CompletedProcess[str]:
        line = " ".join(command)
        self.ran.append((line, user))
        for begin, (code, out, err) in self.answers.items():
            if line.startswith(begin):
                return subprocess.CompletedProcess(command, code, out, err)
        return subprocess.CompletedProcess(command, 0, "", "")

    @property
    def lines(self) -> list[str]:
        return [line for line, _ in self.ran]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine's file system, with a configuration."""
    config = tmp_path / "machine" / "etc" / "dicomprinter" / "config.xml"
    config.parent.mkdir(parents=True)
    config.write_text(configuration(STORE, '<Perform action="Send" onError="Hold"/>'))
    return tmp_path / "machine"


@pytest.fixture
def programs() -> Programs:
    return Programs()


@pytest.fixture
def system(root: Path, programs: Programs) -> Systemd:
    """One that runs, asked by root."""
    (root / "run" / "systemd" / "system").mkdir(parents=True)
    return Systemd(root, run=programs, which=lambda name: f"/bin/{name}", user_id=0)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], libraries_as_before: None) -> Callable[..., tuple[int, str, str]]:
    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = invoke(["service", *(str(argument) for argument in arguments)])
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def live(system: Systemd, monkeypatch: pytest.MonkeyPatch) -> Systemd:
    """What the commands take for this machine."""
    monkeypatch.setattr("dicomprinter.cli.service.manager", lambda root=None: system)
    return system


def standard(system: Systemd, **changes: Any) -> Installation:
    return replace(system.standard("dicomprinter"), user=NOBODY, **changes)


def install(system: Systemd, installation: Installation) -> list[str]:
    return [step.do() for step in system.installing(installation)]


# Installing


def test_a_running_machine_gets_user_folders_a_trial_and_the_unit_in_this_order(
    system: Systemd, programs: Programs, root: Path
) -> None:
    installation = standard(system)
    changed = [bool(said) for said in install(system, installation)]
    assert changed == [True, False, False, True, False, False, True, True, False]
    group = f"{root}/etc"
    assert programs.ran == [
        (f"systemd-sysusers {group}/sysusers.d/dicomprinter.conf", None),
        (f"systemd-tmpfiles --create {group}/tmpfiles.d/dicomprinter.conf", None),
        (
            f"{installation.python} -P -m dicomprinter check /etc/dicomprinter/config.xml --base /var/lib/dicomprinter",
            NOBODY,
        ),
        ("systemctl daemon-reload", None),
    ]
    assert system.installed("dicomprinter") == installation
    assert (root / ENABLED).readlink() == Path("/etc/systemd/system/dicomprinter.service")
    nobody = pwd.getpwnam(NOBODY)
    assert (
        f"0700 {NOBODY} {grp.getgrgid(nobody.pw_gid).gr_name}\n"
        in (root / "etc/tmpfiles.d/dicomprinter.conf").read_text()
    )


def test_installed_again_nothing_changes(system: Systemd) -> None:
    install(system, standard(system))
    assert not any(install(system, standard(system)))
    said = "".join(install(system, standard(system, workers=7)))
    assert "+ExecStart=" in said
    assert "--workers 7" in said
    assert "Settings=" not in said


@pytest.mark.parametrize(
    ("fails", "says"),
    [
        ("systemd-sysusers", "the user cannot be made; it is so"),
        ("systemd-tmpfiles", "the folders cannot be given to the service's user; it is so"),
    ],
)
def test_what_fails_leaves_no_unit_behind(
    system: Systemd, programs: Programs, root: Path, fails: str, says: str
) -> None:
    programs.answers = {fails: (1, "", "it is so\n")}
    with pytest.raises(PermanentError, match=says):
        install(system, standard(system))
    assert not (root / UNIT).exists()
    assert not (root / ENABLED).is_symlink()


def test_a_user_who_cannot_read_the_program_or_the_configuration_is_told_before_the_unit_is_there(
    system: Systemd, programs: Programs, root: Path
) -> None:
    installation = standard(system)
    programs.answers = {str(installation.python): (2, "", "error: cannot read the configuration; Permission denied")}
    with pytest.raises(PermanentError, match=r"nobody cannot read .*Permission denied; install the program where"):
        install(system, installation)
    assert not (root / UNIT).exists()


def test_a_spool_in_which_another_has_worked_is_not_taken(system: Systemd, programs: Programs, root: Path) -> None:
    spool = root / "var/lib/dicomprinter/spool"
    (spool / "incoming").mkdir(parents=True)
    # Whoever drops files there may be anybody.
    install(system, standard(system))
    (spool / "jobs").mkdir()
    programs.ran.clear()
    with pytest.raises(InputError, match=r"spool/jobs belongs to another than nobody; .*`chown -R nobody: "):
        install(system, standard(system))
    assert not any(line.startswith("systemd-tmpfiles") for line in programs.lines)


def test_a_unit_of_somebody_elses_is_not_replaced(system: Systemd, root: Path) -> None:
    (root / UNIT).parent.mkdir(parents=True)
    (root / UNIT).write_text("[Service]\nExecStart=/bin/true\n")
    with pytest.raises(InputError, match=r"dicomprinter.service is not one of ours; choose another --name"):
        install(system, standard(system))
    with pytest.raises(InputError, match="there is no service dicomprinter of dicomprinter's"):
        list(system.uninstalling("dicomprinter"))
    assert (root / UNIT).read_text() == "[Service]\nExecStart=/bin/true\n"


def test_without_a_running_systemd_everything_is_written_and_that_is_said(
    system: Systemd, programs: Programs, root: Path
) -> None:
    (root / "run" / "systemd" / "system").rmdir()
    install(system, standard(system))
    assert "systemctl daemon-reload" not in programs.lines
    assert (root / ENABLED).is_symlink()
    assert "no systemd runs here" in " ".join(system.what_next(standard(system), is_changed=False))
    with pytest.raises(InputError, match=r"no systemd runs here, .* -m dicomprinter serve --config"):
        system.start("dicomprinter")
    assert system.standing("dicomprinter").state == "no systemd runs here"


def test_without_systemd_at_all_the_way_out_is_told(system: Systemd) -> None:
    with pytest.raises(InputError, match=r"has no systemd; .*`dicomprinter serve --config"):
        list(replace(system, which=lambda _: None).installing(standard(system)))


# The command


def test_an_image_is_written_and_nothing_is_run(
    root: Path, call: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_args, **_options: pytest.fail("something was run"))
    code, out, err = call("install", "--root", root, "--base", "/srv/pages", "--incoming-group", "radiology")
    assert code == 0
    assert [line.split(maxsplit=1)[0] for line in out.splitlines()] == ["wrote", "wrote", "wrote", "enabled:"]
    assert "nothing was run there" in err
    text = (root / UNIT).read_text()
    assert "ReadWritePaths=/srv/pages /var/log/dicomprinter\n" in text
    assert "SupplementaryGroups=radiology\n" in text
    # What is not said stays as it was.
    code, out, err = call("install", "--root", root, "--workers", "3")
    assert code == 0
    assert "--workers 3" in out
    assert (root / UNIT).read_text() == text.replace("--workers 2", "--workers 3").replace(
        '"workers": 2', '"workers": 3'
    )
    code, out, err = call("install", "--root", root)
    assert out == "dicomprinter is installed as it was before\n"


def test_a_dry_run_shows_the_unit_and_does_nothing(
    live: Systemd, programs: Programs, root: Path, call: Callable[..., tuple[int, str, str]]
) -> None:
    before = sorted(root.rglob("*"))
    # Everybody may ask what would be done.
    object.__setattr__(live, "user_id", 1000)
    code, out, _ = call("install", "--dry-run", "--user", NOBODY)
    assert code == 0
    assert f"run systemd-sysusers {root}/etc/sysusers.d/dicomprinter.conf\n" in out
    assert f"as {NOBODY}\n" in out
    assert "\n[Service]\nType=notify\n" in out
    assert programs.ran == []
    assert sorted(root.rglob("*")) == before


@pytest.mark.parametrize("verb", ["install", "start", "stop", "uninstall"])
def test_only_root_may_change_anything(
    live: Systemd, programs: Programs, call: Callable[..., tuple[int, str, str]], verb: str
) -> None:
    install(live, standard(live))
    programs.ran.clear()
    object.__setattr__(live, "user_id", 1000)
    code, _, err = call(verb)
    assert code == 2
    assert f"only root may {verb} a service; `sudo " in err
    assert f"service {verb}`" in err
    assert programs.ran == []


def test_a_configuration_that_cannot_be_used_is_not_installed(
    live: Systemd, programs: Programs, root: Path, call: Callable[..., tuple[int, str, str]]
) -> None:
    file = root / "etc/dicomprinter/config.xml"
    file.write_text(file.read_text().replace('action="Send"', 'action="Sned"'))
    code, _, err = call("install", "--user", NOBODY)
    assert code == 2
    assert f"{file}:1:" in err
    file.unlink()
    code, _, err = call("install")
    assert code == 2
    assert f"there is no configuration {file}; write one" in err
    assert programs.ran == []


def test_what_root_has_in_its_environment_does_not_count(
    live: Systemd, root: Path, call: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = root / "etc/dicomprinter/config.xml"
    file.write_text(file.read_text().replace("127.0.0.1", "${ONLY_MINE}"))
    monkeypatch.setenv("ONLY_MINE", "pacs")
    code, _, err = call("install", "--user", NOBODY)
    assert code == 2
    assert "ONLY_MINE" in err
    base = root / "var/lib/dicomprinter"
    base.mkdir(parents=True)
    (base / ".env").write_text("ONLY_MINE=pacs\n")
    assert call("install", "--user", NOBODY)[0] == 0


def test_start_and_stop_go_through_systemctl(
    live: Systemd, programs: Programs, call: Callable[..., tuple[int, str, str]]
) -> None:
    install(live, standard(live))
    assert call("start") == (0, "dicomprinter runs\n", "")
    assert call("stop") == (0, "dicomprinter has stopped\n", "")
    assert programs.lines[-2:] == ["systemctl start dicomprinter.service", "systemctl stop dicomprinter.service"]


def test_why_it_does_not_start_is_told_in_the_services_own_words(
    live: Systemd, programs: Programs, call: Callable[..., tuple[int, str, str]]
) -> None:
    install(live, standard(live))
    programs.answers = {
        "systemctl start": (1, "", "Job for dicomprinter.service failed.\n"),
        "journalctl": (0, "error: the first\nsomething\nerror: the spool is in use\nsystemd: Failed\n", ""),
    }
    code, _, err = call("start")
    assert code == 3
    assert "systemctl start dicomprinter failed; the spool is in use; `journalctl -u dicomprinter` says more" in err
    programs.answers["journalctl"] = (1, "", "")
    assert "failed; Job for dicomprinter.service failed.;" in call("start")[2]


def test_what_is_taken_away_and_what_stays(
    live: Systemd, programs: Programs, root: Path, call: Callable[..., tuple[int, str, str]]
) -> None:
    before = {path for path in root.rglob("*") if not path.is_dir()}
    install(live, standard(live))
    programs.ran.clear()
    code, out, _ = call("uninstall", "--dry-run")
    assert code == 0
    assert f"remove {root / UNIT}" in out
    assert programs.ran == []
    assert (root / UNIT).exists()
    code, out, _ = call("uninstall")
    assert code == 0
    assert programs.lines == ["systemctl stop dicomprinter.service", "systemctl daemon-reload"]
    assert {path for path in root.rglob("*") if not path.is_dir()} == before
    assert "these stay: jobs /var/lib/dicomprinter, log /var/log/dicomprinter, configuration " in out
    assert call("uninstall")[0] == 2


# How it stands

RUNS = (
    "LoadState=loaded\nActiveState=active\nSubState=running\nActiveEnterTimestampMonotonic=1000000\n"
    "MainPID=4711\nNRestarts=2\nResult=success\nStatusText=watches = /x\n"
)
FAILED = (
    "ActiveState=activating\nSubState=auto-restart\nActiveEnterTimestampMonotonic=0\nMainPID=0\nNRestarts=9\n"
    "Result=watchdog\nStatusText=old\n"
)


def test_status_tells_what_systemd_the_spool_and_the_log_say(
    live: Systemd, programs: Programs, tmp_path: Path, call: Callable[..., tuple[int, str, str]]
) -> None:
    base, log = tmp_path / "base", tmp_path / "log"
    install(live, standard(live))
    (live.unit("dicomprinter")).write_text(
        live.unit("dicomprinter")
        .read_text()
        .replace("/var/lib/dicomprinter", str(base))
        .replace("/var/log/dicomprinter", str(log))
    )
    with Spool.open(base) as spool:
        (spool.rejected / "x.pdf").touch()
        (spool.rejected / "x.pdf.reason.txt").touch()
        (spool.incoming / "new.pdf").touch()
    log.mkdir()
    (log / "dicomprinter.log").write_text("2026-01-31 09:15:02.123 ERROR   -  the spool is full\n")
    programs.answers = {"systemctl show": (0, RUNS, "")}
    code, out, _ = call("status", "--json")
    said = json.loads(out)
    assert code == 0
    assert said.pop("since") < "2100"
    assert said == {
        "name": "dicomprinter",
        "state": "active (running)",
        "active": True,
        "starts_by_itself": True,
        "pid": 4711,
        "restarts": 2,
        "text": "watches = /x",
        "config": "/etc/dicomprinter/config.xml",
        "base": str(base),
        "log_dir": str(log),
        "jobs": {},
        "incoming": 1,
        "rejected": 1,
        "last_error": "2026-01-31 09:15:02.123 ERROR   -  the spool is full",
    }
    code, out, _ = call("status")
    assert code == 0
    lines = {line.split(maxsplit=1)[0]: line for line in out.splitlines()}
    assert lines["state"].endswith("active (running): watches = /x")
    assert lines["process"].endswith("4711")
    assert lines["jobs"].endswith("none")
    assert "the spool is full" in out
    programs.answers = {"systemctl show": (0, FAILED, "")}
    code, out, _ = call("status", "--json")
    assert code == 3
    said = json.loads(out)
    assert (said["state"], said["active"]) == ("activating (auto-restart), watchdog", False)
    assert (said["since"], said["pid"], said["text"]) == (None, None, "")


def test_status_of_nothing_says_how_to_install_it(live: Systemd, call: Callable[..., tuple[int, str, str]]) -> None:
    code, _, err = call("status")
    assert code == 2
    assert "`dicomprinter service install` makes it" in err


def test_jobs_are_counted_by_their_state(tmp_path: Path) -> None:
    with Spool.open(tmp_path) as spool:
        for job_id, text in (("20260131T091502123456-a1b2c3", "torn"), ("20260131T091502123457-a1b2c3", "{}")):
            (spool.jobs / job_id).mkdir()
            (spool.jobs / job_id / "job.json").write_text(text)
    # What cannot be read is held for a person.
    assert contents(tmp_path).jobs == {"held": 2}
    assert contents(tmp_path / "never").jobs == {}


def test_a_spool_that_is_closed_does_not_look_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Spool.open(tmp_path):
        pass

    def refuse(path: Path) -> list[str]:
        raise PermissionError(f"{path} is closed to all but root, who may run this test")

    monkeypatch.setattr(os, "listdir", refuse)
    with pytest.raises(PermissionError):
        contents(tmp_path)


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ([], None),
        (["2026-01-31 09:15:02.123 INFO    -  an ERROR in a text", "  ERROR"], None),
        (["2026-01-31 09:15:02.123 ERROR   -  one", "2026-01-31 09:15:02.124 FATAL   -  two", "   File x"], 1),
        (['{"level": "ERROR", "message": "a"}', '{"level": "INFO"}', "{torn"], 0),
    ],
)
def test_the_last_error_of_either_form_of_log_is_found(tmp_path: Path, lines: list[str], found: int | None) -> None:
    assert last_error(tmp_path) is None
    (tmp_path / "dicomprinter.log").write_text("".join(f"{line}\n" for line in lines))
    assert last_error(tmp_path) == (None if found is None else lines[found])


@pytest.mark.parametrize(
    ("platform", "says"), [("darwin", "launchd"), ("freebsd14", "freebsd14"), ("win32", "pywin32")]
)
def test_elsewhere_the_way_out_is_told(
    call: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch, platform: str, says: str
) -> None:
    monkeypatch.setattr("sys.platform", platform)
    code, _, err = call("status")
    assert code == 2
    assert says in err
