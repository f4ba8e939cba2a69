"""The refusals that every format shares."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager

from dicomprinter.errors import InputError, PermanentError
from dicomprinter.imaging.limits import Limits


def damaged(kind: str, cause: str) -> InputError:
    """A file whose beginning promises more than is there."""
    return InputError(f"a damaged {kind}", cause=cause, remedy="copy or save the file again")


def unsupported(kind: str, cause: str, remedy: str = "save it as an ordinary PNG, TIFF or PDF") -> InputError:
    """A sound file of a kind that cannot become a page."""
    return InputError(f"a {kind} that cannot be read", cause=cause, remedy=remedy)


def too_large(cause: str, element: str, remedy: str = "split or shrink the file") -> InputError:
    """More than the limits allow; `element` is the one that raises the limit."""
    return InputError("the file is too large", cause=cause, remedy=f"{remedy}, or raise <{element}> in <General>")


def no_page(index: int) -> PermanentError:
    """A page, counted from 0, that the file had once or never."""
    return PermanentError(f"the file has no page {index + 1}", remedy="was it replaced?")


def check_size(width: int, height: int, limits: Limits, page: str = "", remedy: str = "") -> None:
    """Refuse a page with more pixels than the limits allow.

    Raises:
        InputError: it has; `page` names it where that helps.
    """
    excess = limits.excess(width, height)
    if excess:
        cause, element = excess
        raise too_large(f"{page}{cause}", element, **({"remedy": remedy} if remedy else {}))


@contextmanager
def refusing(index: int) -> Iterator[None]:
    """Turn what goes wrong with a page, counted from 0, into a PermanentError; faults of the disk stay as they are."""
    try:
        yield
    except PermanentError:
        raise
    except InputError as error:
        raise PermanentError(error.what, cause=error.cause, remedy=error.remedy) from error
    except MemoryError:
        raise _undecodable(index, "it takes more memory than is allowed") from None
    # The decoders raise whatever a wrong byte leads to; imagecodecs' errors are RuntimeErrors.
    except (
        ArithmeticError,
        LookupError,
        OSError,
        RuntimeError,
        SyntaxError,
        TypeError,
        ValueError,
        struct.error,
    ) as error:
        raise _undecodable(index, type(error).__name__) from error


def _undecodable(index: int, cause: str) -> PermanentError:
    return PermanentError(f"page {index + 1} of the file cannot be decoded", cause=cause, remedy="save the file again")
