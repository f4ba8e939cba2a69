"""TLS towards a peer (PS3.15 B.9 to B.12: the BCP 195 profiles; TLS 1.2 at least)."""

from __future__ import annotations

import ssl

from dicomprinter.dicom.peer import Tls
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
    try:
        if tls.ca is not None:
            context.load_verify_locations(cafile=tls.ca)
        elif tls.verify:
            context.load_default_certs()
        if tls.cert is not None:
            # Without a password of ours OpenSSL would ask for one on the terminal, and wait.
            context.load_cert_chain(tls.cert, tls.key, password="")
    except OSError as error:
        names = ", ".join(str(path) for path in (tls.ca, tls.cert, tls.key) if path is not None)
        raise PermanentError(
            f"cannot load the TLS files {names}",
            cause=error.strerror or "not PEM files of the right kind",
            remedy="check the ca, cert and key of Tls: PEM, readable for this user, the key without a password",
        ) from error
    return context
