"""What the files of Tls may not be."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from dicomprinter.dicom.network.peer import Tls
from dicomprinter.dicom.network.tls import client_context
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


def test_the_file_at_fault_is_named_alone(tmp_path: Path) -> None:
    missing, wrong = tmp_path / "missing.pem", tmp_path / "wrong.pem"
    wrong.write_text("no certificate")
    for tls, at_fault in (
        (Tls(ca=missing, cert=wrong, key=None), f"ca {missing}; No such file"),
        (Tls(ca=wrong, cert=None, key=None), f"ca {wrong}; not PEM files"),
        (Tls(ca=None, cert=wrong, key=missing), f"key {missing}; No such file"),
        (Tls(ca=None, cert=wrong, key=None), f"cert {wrong}; not PEM files"),
    ):
        with pytest.raises(PermanentError) as caught:
            client_context(tls)
        assert f"cannot load the TLS files: {at_fault}" in str(caught.value)
