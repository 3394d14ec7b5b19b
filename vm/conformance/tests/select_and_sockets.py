# Sockets of two families talk; select, poll and epoll say when.
import _socket, select, os, errno


def show(f, *args):
    try:
        return f(*args)
    except Exception as e:
        return f"{type(e).__name__}: {e}"


a, b = _socket.socketpair()
print(a.family == _socket.AF_UNIX, a.type == _socket.SOCK_STREAM, a.proto, a.gettimeout(), a.getblocking())
print(select.select([a, b], [a], [], 0) == ([], [a], []), a.send(b"hello"), select.select([b], [], [], 5)[0] == [b], b.recv(3), b.recv(10))
p = select.poll()
p.register(b, select.POLLIN)
print(p.poll(0), a.sendall(b"x" * 10), [e for _, e in p.poll(1000)], p.unregister(b), show(p.unregister, b.fileno()) == f"KeyError: {b.fileno()}")
buf = bytearray(20)
print(b.recv_into(buf, 4), buf[:5], b.recv(100))
e = select.epoll()
e.register(b.fileno(), select.EPOLLIN)
a.send(b"y")
print([ev for _, ev in e.poll(5)], e.closed, e.close(), e.closed, show(e.fileno))
b.settimeout(0.01)
b.recv(1)
print(show(b.recv, 1), b.gettimeout(), b.getblocking(), b.setblocking(False))
try:
    b.recv(1)
except BlockingIOError as err:
    print(err.errno == errno.EAGAIN)
print(a.shutdown(_socket.SHUT_WR), select.select([b], [], [], 1)[0] == [b], b.recv(1), a.close(), a.fileno(), show(a.send, b"x"))
b.close()
s = _socket.socket()
s.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
s.bind(("127.0.0.1", 0))
s.listen()
c = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
print(c.connect(s.getsockname()), s.getsockname()[0], s.getsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR) != 0)
fd, addr = s._accept()
d = _socket.socket(fileno=fd)
print(addr == c.getsockname(), d.family == _socket.AF_INET, d.sendmsg([b"ab", b"cd"]), c.recvmsg(10)[0], d.close(), c.recv(1))
c.close()
s.close()
u1, u2 = _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM), _socket.socket(_socket.AF_INET, _socket.SOCK_DGRAM)
u1.bind(("localhost", 0))
u2.sendto(b"datagram", u1.getsockname())
print(u1.recvfrom(100)[0])
u1.close()
u2.close()
print(_socket.inet_aton("1.2.3.4"), _socket.inet_ntoa(b"\1\2\3\4"), _socket.inet_pton(_socket.AF_INET6, "::1"), _socket.inet_ntop(_socket.AF_INET6, b"\0" * 15 + b"\1"))
print(_socket.htons(1), _socket.ntohl(1), show(_socket.htons, -1), show(_socket.htons, 70000), show(_socket.inet_aton, "x"))
print([r[4] for r in _socket.getaddrinfo("127.0.0.1", 80, 0, _socket.SOCK_STREAM)], _socket.gethostbyname("127.0.0.1"))
print(show(select.select, [3.5], [], []), show(select.select, [], [], [], -1), show(select.select, 1, [], []), show(select.select, [-1], [], [], 0))
print(show(_socket.socket().connect, 3), show(_socket.socket().bind, ("localhost", 70000)), show(_socket.socket().settimeout, -1))
import pwd, grp
print(pwd.getpwuid(0)[0], pwd.getpwnam("root").pw_uid, grp.getgrgid(0).gr_name, show(pwd.getpwnam, "no such"), show(grp.getgrgid, 2**40))
import subprocess, sys
print(subprocess.run(["sh", "-c", "echo out; echo err >&2; exit 3"], capture_output=True, text=True))
print(subprocess.check_output(["cat"], input=b"through a pipe"), subprocess.run(["true"], cwd="/", env={}).returncode)
print(show(subprocess.run, ["/no/such/program"]), show(subprocess.run, ["true"], )  .returncode, subprocess.call("exit 4", shell=True))
print(subprocess.run(["sh", "-c", "echo $X"], env={"X": "y"}, stdout=subprocess.PIPE, preexec_fn=lambda: None).stdout)
