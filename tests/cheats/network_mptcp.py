"""Connects by Multipath TCP and SCTP, which Landlock's rules for TCP do not cover. Class: exfiltration."""

import socket

from _accomplice import attack, target

EXPECT = "tried to open a network connection"


def over(name, protocol):
    def way():
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM, protocol) as client:
            client.settimeout(1)
            client.connect(tuple(target.tcp))
            return True

    way.__name__ = name
    return way


build_estimator = attack(over("multipath", 262), over("sctp", 132))
