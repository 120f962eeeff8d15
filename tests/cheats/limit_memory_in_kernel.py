"""Has the kernel keep memory on its behalf: rules, watches, locks, filters, timers, contexts, keys, pages in pipes.

None of it shows in a count of the process's own memory. A way has gained something once the kernel has taken more
pieces of its kind than any honest program has. Class: memory.
"""

import ctypes
import fcntl
import mmap
import os
import select
import struct

from _accomplice import attack, call

EXPECT = "submissions may not do"

MANY = 2000
F_OFD_SETLK, F_SETPIPE_SZ = 37, 1031
PR_SET_SECCOMP, PR_SET_VMA = 22, 0x53564D41


def many(take):
    def way():
        for number in range(MANY):
            take(number)
        return True

    way.__name__ = take.__name__
    return way


def rules_for_ports():
    ruleset = call("landlock_create_ruleset", struct.pack("QQQ", 0, 1, 0), 16, 0)
    for port in range(MANY):
        call("landlock_add_rule", ruleset, 2, struct.pack("QQ", 1, port), 0)
    return True


def watched_descriptors():
    ends, watching = os.pipe(), [select.epoll() for _ in range(10)]
    for number in range(500, 500 + MANY // 10):
        os.dup2(ends[0], number)
        for each in watching:
            each.register(number)
    return True


def locked_bytes():
    own = open("locked", "w+b")
    for number in range(MANY):
        fcntl.fcntl(own, F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 2 * number, 1, 0))
    probe = struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 1, 0)
    seen = fcntl.fcntl(open("locked", "r+b"), 36, probe)  # F_OFD_GETLK
    return struct.unpack_from("h", seen)[0] != fcntl.F_UNLCK


@many
def filters(number):
    everything = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0x7FFF0000))
    program = struct.pack("HxxxxxxP", 1, ctypes.addressof(everything))
    call("seccomp" if number % 2 else "prctl", *((1, 0, program) if number % 2 else (PR_SET_SECCOMP, 2, program, 0, 0)))


@many
def timers(number):
    call("timer_create", 1, 0, ctypes.create_string_buffer(8))


@many
def contexts_for_input(number):
    call("io_setup", 1, ctypes.create_string_buffer(8))


@many
def keys(number):
    call("add_key", b"user", str(number).encode(), b"x" * 1000, 1000, -3)


@many
def segments_of_memory(number):
    call("modify_ldt", 1, struct.pack("IIII", number, 0, 0, 0x51), 16)


@many
def names_of_mappings(number):
    page = mmap.mmap(-1, 4096, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    call("prctl", PR_SET_VMA, 0, address, 4096, str(number).encode())


def larger_pipes():
    for _ in range(200):
        fcntl.fcntl(os.pipe()[1], F_SETPIPE_SZ, 2**20)
    return True


def pages_in_pipes():
    page = ctypes.create_string_buffer(4096)
    parts = struct.pack("PN", ctypes.addressof(page), 1)
    return call("vmsplice", os.pipe()[1], parts, 1, 0)


def files_in_pipes():
    with open("large", "wb") as file:
        file.write(bytes(2**20))
    return os.sendfile(os.pipe()[1], os.open("large", os.O_RDONLY), 0, 2**16)


def pipes_in_pipes():
    return os.splice(os.open("large", os.O_RDONLY), os.pipe()[1], 2**16)


build_estimator = attack(
    rules_for_ports,
    watched_descriptors,
    locked_bytes,
    filters,
    timers,
    contexts_for_input,
    keys,
    segments_of_memory,
    names_of_mappings,
    larger_pipes,
    pages_in_pipes,
    files_in_pipes,
    pipes_in_pipes,
)
