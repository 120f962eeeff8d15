"""Talks through an abstract socket, which no file stands for and Landlock before its ABI 6 does not see."""

import socket

from _accomplice import attack, target

EXPECT = "tried to open a network connection"


def sent():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as client:
        return client.sendto(b"answers", target.abstract)


def offered_to_a_partner():
    server = socket.socket(socket.AF_UNIX)
    server.bind(target.abstract + "2")
    return server


def a_pair():
    return socket.socketpair()


build_estimator = attack(sent, offered_to_a_partner, a_pair)
