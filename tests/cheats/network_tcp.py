"""Sends what it knows over TCP, by connecting, by connecting without waiting, and by listening. Class: exfiltration."""

import socket

from _accomplice import attack, target

EXPECT = "tried to open a network connection, and submissions have none"


def connected():
    return socket.create_connection(target.tcp, timeout=1)


def connected_without_waiting():
    with socket.socket() as client:
        client.setblocking(False)
        return client.connect_ex(tuple(target.tcp)) in (0, 115)


def listening():
    return socket.create_server(("127.0.0.1", 0))


def over_ipv6():
    return socket.socket(socket.AF_INET6)


build_estimator = attack(connected, connected_without_waiting, listening, over_ipv6)
