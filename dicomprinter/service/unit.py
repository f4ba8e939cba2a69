"""The files that make a service of systemd's: its unit, its user (sysusers.d), its folders (tmpfiles.d)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from dicomprinter.service.installation import DISPLAY_NAME, Installation

if TYPE_CHECKING:
    from pathlib import Path

# systemd passes over sections of this kind (systemd.unit(5)).
_OWN_SECTION: Final = "[X-Dicomprinter]"
_OWN_KEY: Final = "Settings="

_UNIT: Final = """\
# Written by `dicomprinter service install`, which writes it anew. Your own changes: systemctl edit {name}

[Unit]
Description={description}
After=network.target nss-lookup.target remote-fs.target time-sync.target
RequiresMountsFor={mounts}
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart={command}
ExecReload=/bin/kill -HUP $MAINPID
WatchdogSec=60
Restart=on-failure
RestartSec=10
# A spool of many thousand jobs is read before the service is ready.
TimeoutStartSec=600
# Nodes that run have some seconds to come to their end.
TimeoutStopSec=30
KillMode=mixed

User={user}
{groups}UMask=0077
# A core dump would hold patients' data.
LimitCORE=0

# What it may write to, and nothing else.
ProtectSystem=strict
ReadWritePaths={writable}
ProtectHome={protect_home}
PrivateTmp=yes
PrivateDevices=yes
DevicePolicy=closed
PrivateMounts=yes
PrivateIPC=yes
RemoveIPC=yes
ProtectProc=invisible
ProcSubset=pid
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes

# What it may do.
NoNewPrivileges=yes
CapabilityBoundingSet=
AmbientCapabilities=
PrivateUsers=yes
KeyringMode=private
LockPersonality=yes
MemoryDenyWriteExecute=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallFilter=~@privileged @resources
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target

{own_section}
{own_key}{settings}
"""


def unit_text(installation: Installation) -> str:
    """The unit, hardened as far as the service can work."""
    places = (installation.base, installation.log_dir, *installation.writable)
    group = installation.incoming_group
    return _UNIT.format(
        name=installation.name,
        description=DISPLAY_NAME,
        mounts=" ".join(_quoted(str(path)) for path in (installation.config, *places)),
        command=" ".join(_argument(word) for word in installation.command),
        user=installation.user,
        groups=f"SupplementaryGroups={group}\n" if group else "",
        writable=" ".join(_quoted(str(path)) for path in places),
        # Hidden, what lies there would be missing.
        protect_home="read-only" if installation.lies_in_a_home else "yes",
        own_section=_OWN_SECTION,
        own_key=_OWN_KEY,
        settings=installation.to_json(),
    )


def installation_of(unit: str) -> Installation | None:
    """What a unit was written from; None when it is not one of ours."""
    section = unit.partition(_OWN_SECTION)[2]
    for line in section.splitlines():
        if line.startswith(_OWN_KEY):
            try:
                return Installation.from_json(line.removeprefix(_OWN_KEY))
            except (ValueError, KeyError, TypeError):
                return None
    return None


def sysusers_text(installation: Installation) -> str:
    """The user and the group that drops files, each made where it is missing (sysusers.d(5))."""
    home = _quoted(str(installation.base))
    lines = [f'u {installation.user} - "the service {installation.name}" {home} /usr/sbin/nologin']
    if installation.incoming_group:
        lines.append(f"g {installation.incoming_group} -")
    return "\n".join(lines) + "\n"


def tmpfiles_text(installation: Installation, group: str) -> str:
    """The folders with their owners and modes (tmpfiles.d(5)); also what is there already gets them.

    Args:
        installation: says where they are.
        group: the user's own.
    """
    user, others = installation.user, installation.incoming_group
    base = (installation.base, installation.base / "spool")
    # Those who drop files must get through to the folder, but not see what else is there.
    lines = [_folder(path, "0710" if others else "0700", user, others or group) for path in base]
    lines.append(_folder(installation.incoming, "2770" if others else "0700", user, others or group))
    lines.append(_folder(installation.log_dir, "0700", user, group))
    if not installation.config.is_relative_to(installation.base):
        # It may hold secrets. What lies in the base directory is the user's own.
        lines.append(f"z {_quoted(str(installation.config))} 0640 root {group}")
    return "\n".join(lines) + "\n"


def _folder(path: Path, mode: str, user: str, group: str) -> str:
    return f"d {_quoted(str(path))} {mode} {user} {group}"


def _quoted(text: str) -> str:
    """A word of a unit or of tmpfiles.d, whatever is in it."""
    plain = text.replace("%", "%%")
    if not set(" \"'\\;").intersection(plain):
        return plain
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _argument(text: str) -> str:
    """A word of ExecStart, where a dollar sign begins a variable."""
    return _quoted(text.replace("$", "$$"))
