import ctypes
import errno
from attack import got, syscall, target

class Piece(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]

buffer = ctypes.create_string_buffer(8)
local, remote = Piece(ctypes.addressof(buffer), 8), Piece(4096, 8)
for name, number in (("process_vm_readv", 310), ("process_vm_writev", 311)):
    error = syscall(number, target, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0)
    if error in (0, errno.EFAULT):  # a bad address is found only after the right was checked
        got(name)
