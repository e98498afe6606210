import os
import socket
from attack import attempt

def connect(family, address):
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.settimeout(2)
        s.connect(address)

attempt("loopback of the host", lambda: connect(socket.AF_INET, ("127.0.0.1", int(os.environ["ATTACK_PORT"]))))
attempt("abstract socket of the host", lambda: connect(socket.AF_UNIX, "\0" + os.environ["ATTACK_ABSTRACT"]))
attempt("path socket of the host", lambda: connect(socket.AF_UNIX, os.environ["ATTACK_SOCKET"]))
for path in ("/run/docker.sock", "/run/systemd/private", "/run/dbus/system_bus_socket"):
    attempt(path, lambda: connect(socket.AF_UNIX, path))
