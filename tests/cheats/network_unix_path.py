"""Talks to a daemon through a socket file: Docker's, the system bus, the canary's. Class: exfiltration."""

import socket

from _accomplice import attack, target

EXPECT = "tried to open a network connection"


def to(path):
    def way():
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
            return client.sendto(b"answers", path)

    way.__name__ = path
    return way


build_estimator = attack(*map(to, [target.unix, "/run/docker.sock", "/run/dbus/system_bus_socket", "/dev/log"]))
