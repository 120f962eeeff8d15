"""Opens files by handle, past every path: the way of Sebastian Krahmer's "shocker" out of Docker, 2014."""

import ctypes

from _accomplice import attack, call, target

EXPECT = "something that submissions may not do"


def by_handle():
    handle = ctypes.create_string_buffer((128).to_bytes(4, "little") + bytes(132), 136)
    mount = ctypes.create_string_buffer(4)
    call("name_to_handle_at", -100, target.answers.encode(), handle, mount, 0)
    return handle.raw


def by_made_up_handle():
    root = (8).to_bytes(4, "little") + (1).to_bytes(4, "little") + (2).to_bytes(8, "little")
    return call("open_by_handle_at", -100, ctypes.create_string_buffer(root, len(root)), 0)


build_estimator = attack(by_handle, by_made_up_handle)
