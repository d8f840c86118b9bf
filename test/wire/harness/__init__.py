"""What the wire tests share: processes, ports, a strict HTTP/1.1 reader, scripted peers. Nothing here knows a test."""
