import errno
import glob
import os
from attack import got, syscall

TIOCSTI, TIOCLINUX = 0x5412, 0x541C
for name, request in (("TIOCSTI", TIOCSTI), ("TIOCLINUX", TIOCLINUX)):
    for high in (0, 1 << 32, 0xFFFFFFFF << 32):
        for fd in (0, 1, 2):
            error = syscall(16, fd, request | high, b"x")
            if error != errno.EPERM:  # ENOTTY: it came as far as the descriptor
                got("%s %x on %d: %s" % (name, request | high, fd, errno.errorcode.get(error)))
try:
    os.open("/dev/tty", os.O_RDWR)
    got("a controlling terminal")
except OSError:
    pass
for node in ["/dev/tty", "/dev/ptmx", "/dev/console"] + glob.glob("/dev/pts/*") + glob.glob("/dev/tty*"):
    if os.path.exists(node):
        got(node)
