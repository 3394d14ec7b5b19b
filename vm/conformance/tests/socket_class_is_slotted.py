# The library's socket class, with slots and weak references over the native one.
# needs: lib
import socket, weakref
s = socket.socket()
r = weakref.ref(s)
print(r() is s, hasattr(s, '__dict__'), s._io_refs, s._closed)
s.close()
print(s._closed, s.fileno())
import asyncio
async def f(x):
    await asyncio.sleep(0)
    return x + 1
print(asyncio.run(f(1)))
