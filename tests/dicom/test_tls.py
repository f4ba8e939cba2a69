"""What the files of Tls may not be."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dicomprinter.dicom.peer import Tls
from dicomprinter.dicom.tls import client_context
from dicomprinter.errors import PermanentError
from tests.peers import program


@pytest.mark.peer("openssl")
def test_a_key_with_a_password_is_refused_and_nobody_is_asked(tmp_path: Path) -> None:
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    command = (
        f"{program('openssl')} req -x509 -newkey rsa:2048 -passout pass:secret -days 2 -subj /CN=localhost".split()
    )
    subprocess.run([*command, "-keyout", str(key), "-out", str(cert)], check=True, capture_output=True)
    assert "ENCRYPTED" in key.read_text("ascii")
    # In a session without a terminal OpenSSL could ask nobody; with one it would wait here.
    with pytest.raises(PermanentError, match="the key without a password"):
        client_context(Tls(ca=None, cert=cert, key=key))
