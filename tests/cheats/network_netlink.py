"""Asks the kernel for its routes, sockets and processes by netlink. Class: reconnaissance."""

import socket

from _accomplice import attack

EXPECT = "tried to open a network connection"


def routes():
    return socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)


def sockets_of_others():
    return socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, 4)


def processes_as_they_start():
    return socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, 11)


build_estimator = attack(routes, sockets_of_others, processes_as_they_start)
