"""`python confine.py FILE COMMAND…`: run a command with as many of a unit's restrictions as need no systemd.

FILE names the system calls that stay allowed, one a line. Like systemd: others end with EPERM, no memory is ever both
written and executed, no socket is of another family than unix, IPv4 and IPv6, and no right can be gained.
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import sys
from collections.abc import Sequence
from pathlib import Path

_PR_SET_NO_NEW_PRIVS = 38
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_EQUAL, _MASKED_EQUAL = 4, 7
_WRITE, _EXECUTE, _SHARED_EXECUTE = 2, 4, 0o100000
_FAMILIES = (1, 2, 10)
_MOST_FAMILIES = 46


class Comparison(ctypes.Structure):
    """libseccomp's `struct scmp_arg_cmp`."""

    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("first", ctypes.c_uint64),
        ("second", ctypes.c_uint64),
    )


class Filter:
    """A filter of system calls; those that no rule names get `default`."""

    def __init__(self, default: int) -> None:
        self._library = ctypes.CDLL("libseccomp.so.2", use_errno=True)
        self._library.seccomp_init.restype = ctypes.c_void_p
        self._context = ctypes.c_void_p(self._library.seccomp_init(ctypes.c_uint32(default)))

    def rule(self, action: int, name: str, *comparisons: Comparison) -> None:
        """What happens to a call; one that this machine has not is passed over."""
        number = self._library.seccomp_syscall_resolve_name(name.encode())
        if number >= 0:
            array = (Comparison * len(comparisons))(*comparisons)
            code = self._library.seccomp_rule_add_array(
                self._context, ctypes.c_uint32(action), number, len(comparisons), array
            )
            _check(code, name)

    def load(self) -> None:
        """From now on, for this process and all that come of it."""
        _check(self._library.seccomp_load(self._context), "seccomp_load")


def _check(code: int, what: str) -> None:
    if code not in (0, -errno.EEXIST):
        raise OSError(-code, f"{what}: {os.strerror(-code)}")


def confine(allowed: Sequence[str]) -> None:
    """Restrict this process."""
    os.umask(0o077)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        raise OSError("no new privileges: refused")
    refused = Filter(_ALLOW)
    both = _WRITE | _EXECUTE
    refused.rule(_ERRNO | errno.EPERM, "mmap", Comparison(2, _MASKED_EQUAL, both, both))
    for name in ("mprotect", "pkey_mprotect"):
        refused.rule(_ERRNO | errno.EPERM, name, Comparison(2, _MASKED_EQUAL, _EXECUTE, _EXECUTE))
    refused.rule(_ERRNO | errno.EPERM, "shmat", Comparison(2, _MASKED_EQUAL, _SHARED_EXECUTE, _SHARED_EXECUTE))
    for family in set(range(_MOST_FAMILIES)) - set(_FAMILIES):
        refused.rule(_ERRNO | errno.EAFNOSUPPORT, "socket", Comparison(0, _EQUAL, family, 0))
    known = Filter(_ERRNO | errno.EPERM)
    # The second filter is loaded under the first one.
    for name in (*allowed, "seccomp"):
        known.rule(_ALLOW, name)
    refused.load()
    known.load()


if __name__ == "__main__":
    confine(Path(sys.argv[1]).read_text("ascii").split())
    os.execv(sys.argv[2], sys.argv[2:])
