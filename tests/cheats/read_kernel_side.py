"""Has the kernel look for it: performance counters, BPF, page faults, page moves. Class: privileged inspection."""

import ctypes

from _accomplice import attack, call, target

EXPECT = "something that submissions may not do"


def performance_counters():
    attributes = ctypes.create_string_buffer((1).to_bytes(4, "little") + (128).to_bytes(4, "little"), 128)
    return call("perf_event_open", attributes, target.grader, -1, -1, 0)


def programs_in_the_kernel():
    return call("bpf", 0, ctypes.create_string_buffer(64), 64)


def page_faults():
    return call("userfaultfd", 1)


def pages_of_the_grader():
    call("move_pages", target.grader, 0, 0, 0, 0, 0)
    return True


build_estimator = attack(performance_counters, programs_in_the_kernel, page_faults, pages_of_the_grader)
