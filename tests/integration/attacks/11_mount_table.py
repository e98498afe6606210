from attack import got, read

# What docs say a sandbox shows of its host, and its own scratch folders.
shown = ["/", "/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/proc", "/home/user", "/tmp", "/dev/shm",
         "/etc/alternatives", "/etc/ld.so.cache", "/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/etc/localtime",
         "/etc/timezone", "/etc/pki/tls/certs", "/etc/pki/ca-trust/extracted", "/dev/null", "/dev/zero", "/dev/full",
         "/dev/random", "/dev/urandom"]
for line in read("/proc/self/mountinfo").decode().splitlines():
    fields = line.split()
    root, place, options = fields[3], fields[4], fields[5].split(",")
    if place not in shown and not place.startswith("/usr/"):
        got("a mount at %s of %s" % (place, root))
    if place not in ("/home/user", "/tmp", "/dev/shm", "/proc") and "ro" not in options:
        got("a writable mount at " + place)
