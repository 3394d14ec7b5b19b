# Files read, write, seek and fail as CPython's: raw, buffered, text and in memory.
# needs: lib
import io, os, sys

folder = f'pyrite-io-{os.getpid()}'
os.mkdir(folder)
os.chdir(folder)
p = 'x.txt'
with open(p,'w') as f:
    print(f.write('α\nbeta\r\ngamma\rdelta'), f.tell())
for nl in (None,'','\n','\r','\r\n'):
    with open(p,newline=nl) as f: print(nl, list(f), f.newlines)
with open(p) as f:
    print(f.read(3), f.tell(), f.readline(), f.tell()); t=f.tell(); r=f.read(); f.seek(t); print(r==f.read(), r)
with open(p,'rb') as f: print(f, f.peek(3)[:3], f.read(4), f.tell(), f.readline(), f.seek(-3,2), f.read(), f.raw)
with open(p,'r+b') as f:
    f.read(2); f.write(b'ZZ'); f.seek(0); print(f.read())
with open(p,'a+') as f: f.write('end'); f.seek(0); print(f.read())
for args in [('/nonexistent',),(p,'zz'),(p,'rw'),(p,'rbt'),(p,'rb',-1,'utf8'),(p,'r',0),('/tmp',)]:
    try: open(*args)
    except Exception as e: print(type(e).__name__, e)
b=io.BytesIO(); b.write(b'abc'); b.seek(5); b.write(b'x'); print(b.getvalue(), b.read(), b.seek(1), b.read(2), b.truncate(), b.getvalue())
s=io.StringIO(); print(s.write('a\nb'), s.tell(), s.getvalue(), s.seek(0), s.readline(), s.read()); s.close()
try: s.read()
except ValueError as e: print(e)
w=io.TextIOWrapper(io.BytesIO(), 'utf-16'); w.write('hi'); w.flush(); print(w.buffer.getvalue()); w.seek(0); print(w.read())
try: io.TextIOWrapper(io.BytesIO(b'\xff'),'utf-8').read()
except UnicodeDecodeError as e: print(e)
try: io.BytesIO().write('x')
except TypeError as e: print(e)
try: open(p).write('x')
except io.UnsupportedOperation as e: print(repr(e), type(e).__mro__)
d=io.IncrementalNewlineDecoder(None, True); print(repr(d.decode('a\r')), repr(d.decode('\nb\r')), repr(d.decode('',True)), d.newlines)
class R(io.RawIOBase):
    def __init__(s,b): s.b=b
    def readable(s): return True
    def readinto(s,buf):
        n=min(len(buf),len(s.b),3); buf[:n]=s.b[:n]; s.b=s.b[n:]; return n
r=io.BufferedReader(R(b'line1\nline2\nrest')); print(r.readline(), r.read(3), r.read())
print(io.TextIOWrapper(io.BufferedReader(R(b'one\r\ntwo\n'))).readlines())
print(os.listdir('.'), os.path.exists(p), os.stat(p).st_size, os.path.isdir('..'))
os.makedirs('a/b',exist_ok=True); print(sorted(x.name for x in sorted(os.scandir('.'), key=lambda e: e.name))); os.removedirs('a/b')
print([(d, sorted(f)) for d, _, f in os.walk('.')])
r,w=os.pipe(); os.write(w,b'hey'); os.close(w); print(os.read(r,10), os.fdopen(r).read())
import marshal
v=(1,-5,2**70,-2**100,1.5,'é','x',b'q',[1,{2:3}],None,True,{1,2},2j); print(marshal.loads(marshal.dumps(v))==v)
sys.stdout.flush()
sys.stdout.buffer.write(b'raw\n')
os.remove(p)
os.chdir('..')
os.rmdir(folder)
