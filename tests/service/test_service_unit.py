"""The files that make a service of systemd's."""

from __future__ import annotations

import os
import re
import stat
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from dicomprinter.errors import InputError
from dicomprinter.service.installation import Installation
from dicomprinter.service.unit import installation_of, sysusers_text, tmpfiles_text, unit_text
from tests.peers import program

# What `systemd-analyze security` may say at most.
MOST_EXPOSED = 1.6

STANDARD = Installation(
    "dicomprinter",
    Path("/etc/dicomprinter/config.xml"),
    Path("/var/lib/dicomprinter"),
    Path("/var/log/dicomprinter"),
    python=Path("/bin/true"),
)
AWKWARD = replace(
    STANDARD,
    name="second",
    base=Path('/srv/100% "my" pages'),
    log_dir=Path("/srv/it's $HOME\\log"),
    incoming_group="radiology",
    writable=(Path("/srv/out put"),),
    workers=5,
)


def settings(unit: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in unit.splitlines():
        name, sign, value = line.partition("=")
        if sign and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def test_the_unit_runs_this_installation_as_its_own_user() -> None:
    said = settings(unit_text(STANDARD))
    assert said["ExecStart"] == [
        "/bin/true -P -m dicomprinter serve --config /etc/dicomprinter/config.xml --base /var/lib/dicomprinter"
        " --log-dir /var/log/dicomprinter --workers 4"
    ]
    assert said["User"] == ["dicomprinter"]
    assert "SupplementaryGroups" not in said
    assert said["ReadWritePaths"] == ["/var/lib/dicomprinter /var/log/dicomprinter"]
    expected = {
        "Type": "notify",
        "NotifyAccess": "main",
        "WatchdogSec": "60",
        "Restart": "on-failure",
        "ExecReload": "/bin/kill -HUP $MAINPID",
        "KillMode": "mixed",
        "LimitCORE": "0",
        "ProtectSystem": "strict",
        "MemoryDenyWriteExecute": "yes",
        "CapabilityBoundingSet": "",
        "NoNewPrivileges": "yes",
        "RestrictAddressFamilies": "AF_UNIX AF_INET AF_INET6",
        "UMask": "0077",
    }
    assert {name: said[name] for name in expected} == {name: [value] for name, value in expected.items()}


@pytest.mark.parametrize(
    ("place", "hidden"), [(Path("/opt/dp/bin/python"), "yes"), (Path("/home", "x", "python"), "read-only")]
)
def test_home_folders_are_hidden_unless_something_lies_there(
    place: Path, hidden: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dicomprinter.service.installation.__file__", "/opt/dp/lib/installation.py")
    monkeypatch.setattr("sys.prefix", "/opt/dp")
    monkeypatch.setattr("sys.base_prefix", "/usr")
    assert settings(unit_text(replace(STANDARD, python=place)))["ProtectHome"] == [hidden]


def test_awkward_names_are_quoted_as_systemd_reads_them() -> None:
    said = settings(unit_text(AWKWARD))
    base, log = r'"/srv/100%% \"my\" pages"', '"/srv/it\'s $HOME\\\\log"'
    assert said["ReadWritePaths"] == [f'{base} {log} "/srv/out put"']
    # ExecStart alone knows variables.
    assert f"--base {base} --log-dir {log.replace('$', '$$')} --workers 5" in said["ExecStart"][0]
    assert said["SupplementaryGroups"] == ["radiology"]


@pytest.mark.parametrize("installation", [STANDARD, AWKWARD], ids=["standard", "awkward"])
def test_what_it_was_written_from_can_be_read_again(installation: Installation) -> None:
    assert installation_of(unit_text(installation)) == installation


@pytest.mark.parametrize(
    "unit",
    [
        "",
        "[Service]\nExecStart=/bin/true\n",
        "[X-Dicomprinter]\n",
        "[X-Dicomprinter]\nSettings=\n",
        "[X-Dicomprinter]\nSettings={}\n",
        "[X-Dicomprinter]\nSettings=[1]\n",
        "[Service]\nSettings={}\n[X-Dicomprinter]\nOther=1\n",
    ],
)
def test_a_unit_of_another_is_not_taken_for_ours(unit: str) -> None:
    assert installation_of(unit) is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": "../x"}, "name of a service"),
        ({"name": "a@b"}, "name of a service"),
        ({"user": "Dr Who"}, "name of a user"),
        ({"incoming_group": "a b"}, "name of a user or group"),
        ({"user": "root"}, "not to run as root"),
        ({"base": Path("/tmp/x")}, "no share in /tmp"),
        ({"log_dir": Path("/var/tmp")}, "no share in /var/tmp"),
        ({"writable": (Path("/run/x"),)}, "no share in /run"),
        ({"config": Path("/tmp/config.xml")}, "cannot see /tmp/config.xml; it has no share in /tmp; put it into /etc"),
        ({"python": Path("/var/tmp/venv/bin/python")}, "cannot see /var/tmp/.*; install .* in /opt"),
        ({"base": Path("/srv/a\nExecStartPre=/bin/x")}, "cannot be shown"),
    ],
)
def test_what_cannot_work_is_refused(change: dict[str, object], says: str) -> None:
    with pytest.raises(InputError, match=says):
        replace(STANDARD, **change).check()  # type: ignore[arg-type]  # each is one of its fields


def test_what_can_work_is_not_refused() -> None:
    STANDARD.check()
    AWKWARD.check()
    replace(STANDARD, base=Path("/tmpfiles"), log_dir=Path("/var/tmp-not")).check()


def test_a_configuration_in_the_base_directory_stays_the_users_own() -> None:
    inside = replace(STANDARD, config=STANDARD.base / "config" / "config.xml")
    assert "config.xml" not in tmpfiles_text(inside, "dicomprinter")
    assert "z /etc/dicomprinter/config.xml 0640 root dicomprinter\n" in tmpfiles_text(STANDARD, "dicomprinter")


def analyze(verb: str, unit: Path, *options: str) -> str:
    command = [program("systemd-analyze"), verb, "--no-pager", *options, str(unit)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    return ended.stdout


@pytest.mark.peer("systemd-analyze")
@pytest.mark.parametrize("installation", [STANDARD, AWKWARD], ids=["standard", "awkward"])
def test_systemd_finds_nothing_wrong_with_it(installation: Installation, tmp_path: Path) -> None:
    unit = tmp_path / f"{installation.name}.service"
    unit.write_text(unit_text(installation))
    analyze("verify", unit)
    said = re.search(r"exposure level for .*: ([0-9.]+) ", analyze("security", unit, "--offline=true"))
    assert said
    assert float(said[1]) <= MOST_EXPOSED


@pytest.mark.peer("systemd-sysusers", "systemd-tmpfiles")
def test_users_and_folders_are_made_of_the_files(tmp_path: Path) -> None:
    installation = replace(AWKWARD, log_dir=Path("/var/log/dicomprinter"))
    config = tmp_path / "etc/dicomprinter/config.xml"
    config.parent.mkdir(parents=True)
    config.write_text("<DicomPrinter/>")
    for folder in ("srv", "var/log"):
        (tmp_path / folder).mkdir(parents=True)
    users, folders = tmp_path / "users.conf", tmp_path / "folders.conf"
    users.write_text(sysusers_text(installation))
    subprocess.run([program("systemd-sysusers"), f"--root={tmp_path}", str(users)], check=True)
    made = {line.split(":")[0]: line.split(":") for line in (tmp_path / "etc/passwd").read_text().splitlines()}
    assert made["dicomprinter"][5:] == [str(installation.base), "/usr/sbin/nologin"]
    assert "radiology:" in (tmp_path / "etc/group").read_text()
    if os.geteuid() != 0:
        pytest.skip("only root may give folders away")
    folders.write_text(tmpfiles_text(installation, "dicomprinter"))
    subprocess.run([program("systemd-tmpfiles"), "--create", f"--root={tmp_path}", str(folders)], check=True)
    group_id = int(made["dicomprinter"][3])
    base = tmp_path / 'srv/100% "my" pages'
    assert mode(base) == mode(base / "spool") == 0o710
    assert mode(base / "spool" / "incoming") == 0o2770
    assert mode(tmp_path / "var/log/dicomprinter") == 0o700
    assert mode(config) == 0o640
    assert (config.stat().st_uid, config.stat().st_gid) == (0, group_id)
    assert base.stat().st_uid == int(made["dicomprinter"][2])
    assert base.stat().st_gid != group_id


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)
