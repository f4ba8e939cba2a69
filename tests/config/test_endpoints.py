"""Other addresses than those of the file: `--endpoint`."""

from __future__ import annotations

from pathlib import Path

import pytest

from dicomprinter.actions.base import Connected
from dicomprinter.actions.store.action import Store
from dicomprinter.dicom.network.peer import Peer
from dicomprinter.errors import InputError
from dicomprinter.program import Program, with_endpoints
from tests.config.help import PRINT, QUERY, STORE, config, loaded, warnings


def peers(program: Program) -> list[Peer | None]:
    return [action.peer if isinstance(action, Connected) else None for action in program.actions.values()]


def test_endpoints_by_the_action_s_name_or_the_ae_title(tmp_path: Path) -> None:
    program = loaded(tmp_path, config(STORE + QUERY + PRINT + '<SetTag name="Set" tag="PatientID"/>'))
    one = with_endpoints(program, {"Send": ("localhost", 11112)})
    assert [peer and peer.port for peer in peers(one)] == [11112, 104, 104, None]
    every = with_endpoints(program, {"P": ("::1", 4242)})
    assert [peer and peer.host for peer in peers(every)] == ["::1", "::1", "::1", None]
    assert isinstance(program.actions["Send"], Store)
    assert program.actions["Send"].peer.port == 104


@pytest.mark.parametrize(("name", "hint"), [("Sent", 'did you mean "Send"?'), ("Set", "Send"), ("xxxx", "known here")])
def test_an_endpoint_that_nothing_connects_to(tmp_path: Path, name: str, hint: str) -> None:
    program = loaded(tmp_path, config(STORE + '<SetTag name="Set" tag="PatientID"/>'))
    with pytest.raises(InputError, match="neither an action that connects nor an AE title") as caught:
        with_endpoints(program, {name: ("localhost", 1)})
    assert hint in str(caught.value)


@pytest.mark.parametrize("name", ["ca", "cert"])
def test_a_tls_file_that_is_not_there_is_warned_of(tmp_path: Path, name: str) -> None:
    file = tmp_path / "x.pem"
    document = config(STORE.replace("</Port>", f'</Port><Tls {name}="{file}"/>'))
    (line,) = warnings(tmp_path, document)
    assert f'there is no file "{file}" for its {name} yet' in line
    file.touch()
    assert warnings(tmp_path, document) == []
