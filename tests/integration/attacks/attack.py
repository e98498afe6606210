"""Shared by the attacks: each prints a line "GOT what" for everything that it was able to do and should not have been.

The test runs each attack in a sandbox, where no such line may appear, and most of them outside too, where at least one
must: proof that the attack can see what it looks for.
"""
import ctypes
import errno
import os

libc = ctypes.CDLL(None, use_errno=True)
outside = "ATTACK_OUTSIDE" in os.environ
host_pid = int(os.environ["ATTACK_HOST_PID"])
# Init in the sandbox, a process of the test outside.
target = host_pid if outside else 1


def got(what):
    print("GOT", what, flush=True)


def attempt(what, action):
    """GOT unless action raises OSError or returns something false."""
    try:
        result = action()
    except (OSError, ValueError) as error:
        print("refused", what, error, flush=True)
        return None
    if result is None or result:
        got(what)
    return result


def syscall(number, *arguments):
    """The error of a system call, 0 for success."""
    ctypes.set_errno(0)
    arguments = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    return ctypes.get_errno() if libc.syscall(ctypes.c_long(number), *arguments) == -1 else 0


def expect_refused(what, number, *arguments):
    """A bad argument that the kernel complains of means that the call itself was allowed."""
    error = syscall(number, *arguments)
    if error not in (errno.EPERM, errno.ENOSYS):
        got("%s: %s" % (what, errno.errorcode.get(error, "success")))


def read(path):
    with open(path, "rb") as file:
        return file.read(1 << 20)


def status(field, path="/proc/self/status"):
    for line in read(path).decode().splitlines():
        if line.startswith(field + ":"):
            return line.split()[1]
    return None
