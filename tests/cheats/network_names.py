"""Spells what it knows into a name that it asks the resolver for: exfiltration by DNS needs no connection."""

import socket

from _accomplice import attack

EXPECT = "tried to open a network connection"


def asked():
    return socket.getaddrinfo("answers.invalid", 80)


def asked_the_old_way():
    return socket.gethostbyname("answers.invalid")


def reversed_name():
    return socket.gethostbyaddr("127.0.0.1")


build_estimator = attack(asked, asked_the_old_way, reversed_name)
