import os
from attack import got

for number in range(3, 4096):
    try:
        os.fstat(number)
        got("descriptor %d: %s" % (number, os.readlink("/proc/self/fd/%d" % number)))
    except OSError:
        pass
