"""Leaves messages behind for a partner: in queues and in the kernel's keyrings. Class: collusion."""

from _accomplice import attack, call, target

EXPECT = "something that submissions may not do"

CREATE = 0o1666
USER_KEYRING = -4


def a_sysv_queue():
    call("msgget", target.key, CREATE)
    return True


def a_posix_queue():
    return call("mq_open", target.mark.encode(), 0o102, 0o666, 0)


def a_key():
    return call("add_key", b"user", target.mark.encode(), b"answers", 7, USER_KEYRING)


def a_keyring():
    return call("keyctl", 0, USER_KEYRING, 1, 0, 0)


build_estimator = attack(a_sysv_queue, a_posix_queue, a_key, a_keyring)
