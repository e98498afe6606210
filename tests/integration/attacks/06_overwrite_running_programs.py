import errno
import os
from attack import got

for process in ("self", "1"):
    try:
        os.close(os.open("/proc/%s/exe" % process, os.O_WRONLY))
        got("open the program of %s for writing" % process)
    except OSError as error:
        if error.errno == errno.ETXTBSY:  # allowed, but for its being in use
            got("the right to write the program of %s" % process)
