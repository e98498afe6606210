import socket
import time
from attack import attempt, got, outside


def connect(family, address):
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.settimeout(5)
        s.connect(address)


def timed(what, action):
    started = time.monotonic()
    attempt(what, action)
    took = time.monotonic() - started
    if took > 0.5:  # it takes microseconds; the machine may be busy
        got("a wait of %.3f s for %s" % (took, what))


if not outside:  # nothing is sent to anybody
    # Addresses for documentation, RFC 5737 and 3849: nobody answers there even with a network.
    timed("IPv4", lambda: connect(socket.AF_INET, ("192.0.2.1", 80)))
    timed("IPv6", lambda: connect(socket.AF_INET6, ("2001:db8::1", 80)))
    timed("a name", lambda: socket.getaddrinfo("name.invalid", 80))
    timed("UDP", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 53)))
for index in range(1, 256):
    try:
        name = socket.if_indextoname(index)
    except OSError:
        continue
    if name != "lo":
        got("interface " + name)
