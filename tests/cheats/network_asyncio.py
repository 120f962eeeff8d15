"""Opens a connection from an event loop, whose own inner sockets are refused already. Class: exfiltration."""

import asyncio

from _accomplice import attack, target

EXPECT = "tried to open a network connection"


def in_an_event_loop():
    async def connect():
        await asyncio.open_connection(*target.tcp)

    asyncio.run(connect())
    return True


build_estimator = attack(in_an_event_loop)
