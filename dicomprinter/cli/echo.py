"""`dicomprinter echo`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dicomprinter.actions.base import Connected
from dicomprinter.cli.arguments import endpoint_option
from dicomprinter.cli.bases import base_for, refuse_folder
from dicomprinter.cli.messages import PATH, examples, invocation, json_option, plain, print_json, verbose_option
from dicomprinter.config.canonical import nearest
from dicomprinter.dicom.network.echo import Examination, examine
from dicomprinter.dicom.network.failures import uid_text
from dicomprinter.errors import DicomPrinterError, InputError, PermanentError
from dicomprinter.program import load, with_endpoints
from dicomprinter.service.redaction import quiet_libraries
from dicomprinter.workflow.nodes import Perform
from dicomprinter.workflow.paths import changed_action

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dicomprinter.dicom.network.peer import Peer
    from dicomprinter.program import Program

_WIDTH = 14


@dataclass(frozen=True)
class _Answer:
    """What a peer said, and which of the actions it can serve."""

    actions: tuple[Connected, ...]
    found: Examination
    error: DicomPrinterError | None


@click.command(
    "echo",
    epilog=examples(
        "dicomprinter echo config.xml  # every peer of the file",
        "dicomprinter echo config.xml SendToPACS",
        "dicomprinter echo config.xml --endpoint SendToPACS=127.0.0.1:11112 --json",
    ),
)
@click.argument("config", type=PATH)
@click.argument("name", metavar="[ACTION|AE_TITLE]", required=False)
@endpoint_option
@click.option("--base", type=PATH, help="The base directory, for its .env files.")
@json_option
@verbose_option
def command(config: Path, name: str | None, endpoints: dict[str, tuple[str, int]], base: Path | None) -> int:
    """Ask the peers of CONFIG whether they are there (C-ECHO), and what they take of what its actions propose.

    Each peer is asked once, however many actions connect to it. Nothing is stored and nothing is queried.

    Exit code: 0 all is well, 2 bad configuration, 3 a peer refuses and will go on refusing, 4 a peer is away.
    """
    refuse_folder(config)
    quiet_libraries()
    program = with_endpoints(load(config, base_for(config, base)), endpoints)
    peers = _peers(_chosen(program, name))
    answers = []
    for actions in peers:
        answer = _ask(actions)
        answers.append(answer)
        if not invocation().as_json:
            _show(answer)
    failed = [answer.error for answer in answers if answer.error is not None]
    if invocation().as_json:
        print_json({"peers": [_to_json(answer) for answer in answers]})
    elif not answers:
        click.echo("no action of this configuration connects to a peer")
    else:
        click.echo(f"{len(answers) - len(failed)} of {len(answers)} peers are well")
    return failed[0].exit_code if failed else 0


def _connections(program: Program) -> list[Connected]:
    """Every action that connects, and each as a Perform changes it."""
    changed = (
        changed_action(program.actions, node)
        for node in program.workflow.walk()
        if isinstance(node, Perform) and node.changes
    )
    return [action for action in (*program.actions.values(), *changed) if isinstance(action, Connected) and action.peer]


def _chosen(program: Program, name: str | None) -> list[Connected]:
    connections = _connections(program)
    if name is None:
        return connections
    names = dict.fromkeys(action.name for action in connections)
    titles = dict.fromkeys(action.peer.ae_title for action in connections if action.peer)
    chosen = [action for action in connections if action.peer and name in (action.name, action.peer.ae_title)]
    if not chosen and name in program.actions:
        raise InputError(f'the action "{name}" connects to no peer', remedy=nearest(name, names))
    if not chosen:
        remedy = nearest(name, names | titles)
        raise InputError(f'"{name}" is neither an action that connects nor an AE title', remedy=remedy)
    return chosen


def _peers(connections: Iterable[Connected]) -> list[tuple[Connected, ...]]:
    """Those that connect to the same peer in the same way, together."""
    groups: dict[tuple[object, ...], list[Connected]] = {}
    for action in connections:
        groups.setdefault(_identity(action.peer), []).append(action)
    return [tuple(actions) for actions in groups.values()]


def _identity(peer: Peer | None) -> tuple[object, ...]:
    return (peer.ae_title, peer.host, peer.port, peer.calling_ae_title, peer.tls) if peer else ()


def _ask(actions: tuple[Connected, ...]) -> _Answer:
    peer = actions[0].peer
    assert peer is not None  # noqa: S101 - only actions with a peer are asked for
    found = examine(peer, [context for action in actions for context in action.contexts()])
    return _Answer(actions, found, found.error or _useless(actions, found))


def _useless(actions: Sequence[Connected], found: Examination) -> DicomPrinterError | None:
    """The error of actions of which the peer takes nothing."""
    names = [f'"{action.name}"' for action in actions if not found.accepts(action.contexts())]
    if not names:
        return None
    reasons = sorted({one.reason for one in found.proposals if one.reason})
    return PermanentError(
        f"{found.peer} takes nothing of what {' and '.join(dict.fromkeys(names))} would send",
        cause=", ".join(reasons),
        remedy="allow the SOP class and one of the transfer syntaxes above on the peer",
    )


def _names(answer: _Answer) -> str:
    return ", ".join(dict.fromkeys(action.name for action in answer.actions))


def _show(answer: _Answer) -> None:
    found, peer = answer.found, answer.found.peer
    click.secho(plain(f"{peer} as {peer.calling_ae_title} ({_names(answer)})"), bold=True)
    if "resolve" in found.seconds and found.address != peer.host:
        _line("host name", f"{peer.host} is {found.address}", found.seconds["resolve"])
    if "connect" in found.seconds:
        _line("connection", f"to {found.address} port {peer.port}", found.seconds["connect"])
    if found.tls is not None:
        _line("TLS", found.tls, found.seconds["tls"])
    if found.max_pdu is not None:
        most = f"{found.max_pdu} bytes" if found.max_pdu else "any length"
        _line("association", f"accepted; PDUs of {most}", found.seconds["associate"])
    _show_contexts(found)
    if answer.error is None and any(one.reason for one in found.proposals):
        _line("", "what is refused does no harm: each action can use what is accepted", None)
    if found.status is not None and "echo" in found.seconds:
        _line("C-ECHO", str(found.status), found.seconds["echo"], ok=found.status.stored)
    if answer.error is not None:
        click.secho(plain(f"  failed: {answer.error}"), fg="red")
    click.echo()


def _show_contexts(found: Examination) -> None:
    """A line for each SOP class and for each reason why it was refused."""
    groups: dict[tuple[str, str], list[str]] = {}
    for one in found.proposals:
        groups.setdefault((one.sop_class, one.reason), []).append(uid_text(one.transfer_syntax))
    for (sop_class, reason), syntaxes in groups.items():
        what = f"{uid_text(sop_class)} as {', '.join(syntaxes)}"
        _line("refused" if reason else "accepted", f"{what}: {reason}" if reason else what, None, ok=not reason)


def _line(step: str, text: str, seconds: float | None, *, ok: bool = True) -> None:
    took = "" if seconds is None else f"  ({seconds * 1000:.1f} ms)"
    click.echo("  " + click.style(f"{step:<{_WIDTH}}", fg="green" if ok else "yellow") + plain(text + took))


def _to_json(answer: _Answer) -> dict[str, Any]:
    found, error = answer.found, answer.error
    peer, status = found.peer, found.status
    return {
        "peer": str(peer),
        "calling_ae_title": peer.calling_ae_title,
        "actions": list(dict.fromkeys(action.name for action in answer.actions)),
        "succeeded": error is None,
        "address": found.address,
        "milliseconds": {step: round(seconds * 1000, 3) for step, seconds in found.seconds.items()},
        "tls": found.tls,
        "max_pdu": found.max_pdu,
        "contexts": [
            {
                "sop_class_uid": one.sop_class,
                "transfer_syntax_uid": one.transfer_syntax,
                "accepted": not one.reason,
                "reason": one.reason or None,
            }
            for one in found.proposals
        ],
        "status": f"{status.code:04X}" if status else None,
        "error": {"what": error.what, "cause": error.cause, "remedy": error.remedy} if error else None,
    }
