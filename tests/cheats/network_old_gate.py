"""Calls socketcall() through the 32-bit gate (int 0x80) from machine code of its own. Class: filter bypass.

On other processors than x86-64 there is no such gate.
"""

import ctypes
import mmap
import os

from _accomplice import attack

EXPECT = "it made a system call that no submission may make"

SOCKETCALL = b"\xb8\x66\x00\x00\x00\xcd\x80\xc3"  # mov eax, 102; int 0x80; ret


def by_machine_code():
    if os.uname().machine != "x86_64":
        os.kill(os.getpid(), 31)
    private, everything = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
    page = mmap.mmap(-1, 4096, private, everything)
    page.write(SOCKETCALL)
    ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
    return True


build_estimator = attack(by_machine_code)
