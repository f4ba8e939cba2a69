"""TLS towards a peer (PS3.15 B.9 to B.12: the BCP 195 profiles; TLS 1.2 at least)."""

from __future__ import annotations

import ssl
from pathlib import Path

from dicomprinter.dicom.network.peer import Tls
from dicomprinter.errors import PermanentError


def client_context(tls: Tls) -> ssl.SSLContext:
    """The settings for connections to a peer.

    Raises:
        PermanentError: a file is missing or holds no PEM of its kind.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if not tls.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    for what, file in (("ca", tls.ca), ("cert", tls.cert), ("key", tls.key)):
        if file is not None:
            _check_readable(what, file)
    files = f"ca {tls.ca}"
    try:
        if tls.ca is not None:
            context.load_verify_locations(cafile=tls.ca)
        elif tls.verify:
            context.load_default_certs()
        if tls.cert is not None:
            files = f"cert {tls.cert}" + (f" with the key {tls.key}" if tls.key is not None else "")
            # Without a password of ours OpenSSL would ask for one on the terminal, and wait.
            context.load_cert_chain(tls.cert, tls.key, password="")
    except OSError as error:
        raise _cannot_load(files, "not PEM files of the right kind, or they do not belong together") from error
    return context


def _check_readable(what: str, file: Path) -> None:
    # OpenSSL does not say which file it cannot open.
    try:
        file.open("rb").close()
    except OSError as error:
        raise _cannot_load(f"{what} {file}", error.strerror or "it cannot be read") from error


def _cannot_load(files: str, cause: str) -> PermanentError:
    return PermanentError(
        f"cannot load the TLS files: {files}",
        cause=cause,
        remedy="check the ca, cert and key of Tls: PEM, readable for this user, the key without a password",
    )
