#!/usr/bin/python3
"""A DNS-01 hook: dns_hook.py URL [WAIT_FOR_FILE] present|cleanup NAME VALUE. Tells pebble-challtestsrv; notes each call."""
import json
import os
import sys
import time
import urllib.request

url, *wait, what, name, value = sys.argv[1:]
if wait and what == "present":
    print("waits", flush=True)
    while not os.path.exists(wait[0]):
        time.sleep(0.02)
body = {"host": name, "value": value} if what == "present" else {"host": name}
endpoint = "set-txt" if what == "present" else "clear-txt"
urllib.request.urlopen(urllib.request.Request(f"{url}/{endpoint}", json.dumps(body).encode()), timeout=10).close()
