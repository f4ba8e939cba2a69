"""`dicomprinter service install`, `start`, `stop`, `uninstall` under systemd; the machine's own is left alone."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from dicomprinter.cli.main import invoke
from dicomprinter.errors import InputError, PermanentError
from dicomprinter.service.systemd import Systemd, lets_others_in
from tests.service.systemd_help import ENABLED, NOBODY, UNIT, Call, Programs, install, standard

# Installing


def test_a_running_machine_gets_user_folders_a_trial_and_the_unit_in_this_order(
    system: Systemd, programs: Programs, root: Path
) -> None:
    installation = standard(system)
    changed = [bool(said) for said in install(system, installation)]
    assert changed == [True, False, False, True, False, False, False, True, True, False]
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
    with pytest.raises(InputError, match="there is no service dicomprinter that this program has installed"):
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


def test_what_init_has_made_as_root_goes_to_the_services_user(system: Systemd, root: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may give files away")
    base, other = root / "var/lib/dicomprinter", root / "etc/shadow"
    other.write_text("secret")
    invoke(["init", str(base)])
    (base / ".env.local").symlink_to(other)
    (base / "config/.env").hardlink_to(other)
    (base / "config/.env.local").write_text("A=1\n")
    os.chown(base / "config/.env.local", 12345, 12345)
    said = "".join(install(system, standard(system)))
    assert "gave spool, spool/incoming, config, config/config.xml, .env in /var/lib/dicomprinter to nobody" in said
    nobody = pwd.getpwnam(NOBODY)
    for name in ("spool", "spool/incoming", "config", "config/config.xml", ".env"):
        found = (base / name).stat()
        assert (found.st_uid, found.st_gid) == (nobody.pw_uid, nobody.pw_gid), name
    assert stat.S_IMODE((base / ".env").stat().st_mode) == 0o600
    assert (other.stat().st_uid, (base / "config/.env.local").stat().st_uid) == (0, 12345)
    assert not any(install(system, standard(system)))


def test_a_program_that_the_services_user_cannot_get_to_is_refused(system: Systemd, programs: Programs) -> None:
    home = Path("/", "home", "anna")
    installation = standard(system, python=home / "venv/bin/python")
    closed = replace(system, is_open=lambda folder: folder != home)
    with pytest.raises(InputError, match=rf"cannot get to {home}/venv/.*; {home} is closed .*; install .*/opt"):
        install(closed, installation)
    assert programs.ran == []
    install(system, installation)


@pytest.mark.parametrize(("mode", "is_open"), [(0o700, False), (0o750, False), (0o711, True), (0o755, True)])
def test_a_folder_is_open_when_others_may_enter_it(tmp_path: Path, mode: int, is_open: bool) -> None:
    tmp_path.chmod(mode)
    assert lets_others_in(tmp_path) is is_open
    assert Systemd().is_open is lets_others_in


# The command


def test_the_configuration_that_init_has_made_in_the_base_is_taken(root: Path, call: Call) -> None:
    invoke(["init", str(root / "srv/pages")])
    code, _, err = call("install", "--root", root, "--base", "/srv/pages")
    assert code == 0, err
    assert "--config /srv/pages/config/config.xml --base /srv/pages " in (root / UNIT).read_text()
    # What was chosen once stays, until another base directory is named.
    assert call("install", "--root", root, "--config", "/etc/dicomprinter/config.xml")[0] == 0
    assert call("install", "--root", root, "--base", "/srv/pages")[0] == 0
    assert "--config /etc/dicomprinter/config.xml --base /srv/pages " in (root / UNIT).read_text()


def test_the_way_out_that_many_problems_share_is_told_once(live: Systemd, root: Path, call: Call) -> None:
    base = root / "var/lib/dicomprinter"
    invoke(["init", str(base)])
    (base / ".env").unlink()
    shutil.copy(base / "config/config.xml", root / "etc/dicomprinter/config.xml")
    code, _, err = call("install", "--user", NOBODY)
    assert code == 2
    assert err.count("is not set") == 9
    assert err.count(f"set it in the environment or in {base / '.env'}") == 1


def test_an_image_is_written_and_nothing_is_run(root: Path, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
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
    assert (root / UNIT).read_text() == text.replace("--workers 4", "--workers 3").replace(
        '"workers": 4', '"workers": 3'
    )
    code, out, err = call("install", "--root", root)
    assert out == "dicomprinter is installed as it was before\n"


def test_a_dry_run_shows_the_unit_and_does_nothing(live: Systemd, programs: Programs, root: Path, call: Call) -> None:
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
def test_only_root_may_change_anything(live: Systemd, programs: Programs, call: Call, verb: str) -> None:
    install(live, standard(live))
    programs.ran.clear()
    object.__setattr__(live, "user_id", 1000)
    code, _, err = call(verb)
    assert code == 2
    assert f"only root may {verb} a service; `sudo " in err
    assert f"service {verb}`" in err
    assert programs.ran == []


def test_a_configuration_that_cannot_be_used_is_not_installed(
    live: Systemd, programs: Programs, root: Path, call: Call
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
    live: Systemd, root: Path, call: Call, monkeypatch: pytest.MonkeyPatch
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


def test_start_and_stop_go_through_systemctl(live: Systemd, programs: Programs, call: Call) -> None:
    install(live, standard(live))
    assert call("start") == (0, "dicomprinter runs\n", "")
    assert call("stop") == (0, "dicomprinter has stopped\n", "")
    assert programs.lines[-2:] == ["systemctl start dicomprinter.service", "systemctl stop dicomprinter.service"]


def test_why_it_does_not_start_is_told_in_the_services_own_words(live: Systemd, programs: Programs, call: Call) -> None:
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


def test_what_is_taken_away_and_what_stays(live: Systemd, programs: Programs, root: Path, call: Call) -> None:
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
