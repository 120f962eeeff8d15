"""Opens sockets of rarer families: raw, packet, virtual machine, Bluetooth, cipher. Class: exfiltration."""

import socket

from _accomplice import attack

EXPECT = "tried to open a network connection"


def of(family, kind, protocol=0):
    def way():
        return socket.socket(family, kind, protocol)

    way.__name__ = f"family_{family}"
    return way


build_estimator = attack(
    of(socket.AF_INET, socket.SOCK_RAW, 1),
    of(socket.AF_PACKET, socket.SOCK_RAW, 768),
    of(socket.AF_VSOCK, socket.SOCK_STREAM),
    of(socket.AF_ALG, socket.SOCK_SEQPACKET),
    of(31, socket.SOCK_RAW, 1),
    of(44, socket.SOCK_RAW),
)
