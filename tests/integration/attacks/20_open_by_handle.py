import ctypes
import errno
import os
from attack import got, syscall

handle = (ctypes.c_uint * 6)(8, 1, 2, 0, 0, 0)  # of inode 2, a root folder, on many file systems
for folder in ["/", "/usr", "/etc", "/home/user", "/tmp", "/dev", "/dev/shm", "/proc", "/lib"]:
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        continue
    error = syscall(304, fd, ctypes.byref(handle), os.O_RDONLY)
    if error not in (errno.EPERM, errno.ENOSYS):
        got("open_by_handle_at on %s: %s" % (folder, errno.errorcode.get(error, "success")))
