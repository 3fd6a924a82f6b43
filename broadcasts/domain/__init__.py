"""The rules of a broadcast, without Django, sockets, clocks, threads or chance."""
