# Formats pack and unpack to CPython's bytes, and say what does not fit in its words.
import struct
def t(f,*a,**k):
    try: r = f(*a,**k); print(f.__name__,[type(x).__name__ if type(x).__repr__ is object.__repr__ else x for x in a],k,'->',r if type(r).__repr__ is not object.__repr__ else type(r).__name__)
    except Exception as e: print(f.__name__,[type(x).__name__ if type(x).__repr__ is object.__repr__ else x for x in a],k,type(e).__name__,e)
for c in 'cbB?hHiIlLqQnNfdespPx':
    for pre in '@<>=!':
        for v in (0,1,-1,255,256,2**15,-2**15-1,2**16,2**31,-2**31-1,2**32,2**63,-2**63-1,2**64,1.5,'a',b'a',b'',None,1e300,float('nan')):
            t(struct.pack,pre+c,v)
t(struct.pack,'2z',1); t(struct.pack,'3',1); t(struct.calcsize,'99999999999999999999i'); t(struct.calcsize,'9223372036854775807i');t(struct.pack,'ii',1);t(struct.pack,'i',1,2);t(struct.pack); t(struct.pack_into,'i');t(struct.pack_into,'i',bytearray(4));t(struct.pack_into,'i',bytearray(4),0);t(struct.pack_into,'i',bytearray(3),0,1);t(struct.pack_into,'i',bytearray(8),5,1);t(struct.pack_into,'i',bytearray(8),-3,1);t(struct.pack_into,'i',bytearray(8),-9,1);t(struct.pack_into,'i',b'12345678',0,1)
t(struct.unpack,'i',b'123');t(struct.unpack_from,'i',b'123');t(struct.unpack_from,'i',b'12345',-3);t(struct.unpack_from,'i',b'12345',-7);t(struct.unpack_from,'i',b'12345',2);t(struct.iter_unpack,'i',b'123');t(struct.iter_unpack,'',b'123');t(struct.Struct,1);t(struct.Struct,'ä');t(struct.Struct)
t(struct.unpack,'i','abcd'); t(struct.unpack_from,'i',buffer='abcd'); t(struct.calcsize,'s5x3p0s'); t(struct.calcsize,' i\t2h '); t(struct.calcsize,'<iqh'); t(struct.calcsize,'ibq0l');t(struct.calcsize, 1)
for f in ('3s','0s','s','5p','1p','0p'): t(struct.pack,f,b'hello'); 
s=struct.Struct('<ih'); print(s.format,s.size); print(list(s.iter_unpack(b'\1\0\0\0\2\0'*2)))
it=s.iter_unpack(b'\1\0\0\0\2\0'*2); print(it.__length_hint__(), type(it)); next(it); print(it.__length_hint__())
t(s.pack); t(s.pack_into); t(s.unpack,b''); t(struct.Struct.pack_into,s,bytearray(1))
for x in (0.0,-0.0,1.0,65504.0,65519.0,65520.0,1e-8,6e-8,2.0**-24,2.0**-25,2.0**-25*1.0001,float('inf'),float('nan'),1.0009765625,1.00048828125,3.1415):
    t(struct.pack,'<e',x); t(struct.pack,'>f',x)
for h in (0,0x8000,0x3c00,0x7c00,0xfc00,0x7e00,1,0x3ff,0x400,0x7bff): t(struct.unpack,'<e',h.to_bytes(2,'little'))
class I:
    def __index__(self): return 5
class F:
    def __float__(self): return 2.5
t(struct.pack,'i',I());t(struct.pack,'Q',I());t(struct.pack,'d',F());t(struct.pack,'<e',I());t(struct.pack,'?',[]);t(struct.pack,'?',[1])
t(struct.unpack,'?',b'\2'); t(struct.unpack,'P',b'\xff'*8); t(struct.unpack,'3c2s3p',b'abcdexyz'[:8]); t(struct.unpack,'p',b'\5')
print(struct.pack_into.__doc__ is not None, struct.error.__module__, struct.Struct.__module__)
t(struct.pack,b'i',1); t(struct.pack,'3si',b'ab',7); t(struct.pack,'0i'); t(struct.unpack,'0s',b'')
