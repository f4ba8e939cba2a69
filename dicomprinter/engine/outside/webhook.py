"""Posts a message as JSON to an address of the site's."""

from __future__ import annotations

import http.client
import json
import ssl
import urllib.error
import urllib.request
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from dicomprinter.errors import PermanentError, TransientError

if TYPE_CHECKING:
    from datetime import datetime
    from typing import IO

    from dicomprinter.actions.messages import Notice, Webhook

_SECONDS: Final = 20.0
_MOST_ANSWER: Final = 4096
# Worth another try: too slow, too early, too many requests.
_LATER: Final = (408, 425, 429)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """What goes to one address must not go to another that it names."""

    def redirect_request(self, *_: object) -> None:
        """None: the answer is told as an error."""
        return


def post(notice: Notice, webhook: Webhook, now: datetime) -> str:
    """Post a message; a repetition has the same `id` and Idempotency-Key.

    Raises:
        PermanentError: the server refuses it, or its certificate cannot be trusted.
        TransientError: the server cannot be reached, or takes nothing now.
    """
    server = webhook.server
    request = urllib.request.Request(  # noqa: S310 - the declaration lets http and https through alone
        webhook.url, json.dumps(_body(notice, now)).encode(), _headers(notice, webhook), method="POST"
    )
    opener = urllib.request.build_opener(_NoRedirects)
    try:
        with opener.open(request, timeout=_SECONDS) as answer:
            answer.read(_MOST_ANSWER)
            return f"in the event stream, and posted to {server} ({answer.status})"
    except urllib.error.HTTPError as error:
        with error:
            raise _refused(server, error.code, _said(error)) from None
    except urllib.error.URLError as error:
        raise _unreached(server, error.reason) from None
    except (OSError, http.client.HTTPException) as error:
        raise _unreached(server, error) from None


def _body(notice: Notice, now: datetime) -> dict[str, object]:
    return {
        "version": 1,
        "id": notice.id,
        "time": now.isoformat(timespec="milliseconds"),
        "job": notice.job,
        "action": notice.action,
        "text": notice.text,
    }


def _headers(notice: Notice, webhook: Webhook) -> dict[str, str]:
    token = {"Authorization": f"Bearer {webhook.token}"} if webhook.token else {}
    return {
        "Content-Type": "application/json",
        "User-Agent": "dicomprinter",
        "Idempotency-Key": f'"{notice.id}"',
        **token,
    }


def _refused(server: str, status: int, said: str) -> PermanentError | TransientError:
    what = f"{server} answered the message with status {status}"
    details = {"status": status}
    if status in _LATER or status >= 500:
        return TransientError(what, cause="it takes nothing now", private=said, details=details)
    if 300 <= status < 400:
        return PermanentError(
            what,
            cause="it names another address, and a message goes only where the configuration says",
            remedy="give the other address in <Url>, if it is the right one",
            details=details,
        )
    return PermanentError(what, cause="it refuses it", remedy="correct <Url> or <Token>", private=said, details=details)


def _unreached(server: str, reason: object) -> PermanentError | TransientError:
    if isinstance(reason, ssl.SSLCertVerificationError):
        return PermanentError(
            f"the certificate of {server} was refused: {reason.verify_message}",
            cause="it is another server, or nobody whom this system trusts has signed it",
            remedy="correct <Url>, or add the signer to the system's certificates",
        )
    why = getattr(reason, "strerror", None) or type(reason).__name__
    return TransientError(
        f"{server} could not be told the message: {why}", cause="it is away, or too slow", remedy="start it"
    )


def _said(answer: IO[bytes]) -> str:
    with suppress(OSError, http.client.HTTPException):
        return answer.read(_MOST_ANSWER).decode("utf-8", "replace")
    return ""
