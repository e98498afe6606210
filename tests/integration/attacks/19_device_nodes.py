import os
import stat
from attack import attempt

folders = [os.environ["ATTACK_ROOT"]] if "ATTACK_OUTSIDE" in os.environ else ["/home/user", "/tmp", "/dev/shm"]
for folder in folders:
    for kind in (stat.S_IFCHR, stat.S_IFBLK):
        attempt("make a device in " + folder, lambda: os.mknod(folder + "/d%o" % kind, kind | 0o600, os.makedev(1, 3)))
