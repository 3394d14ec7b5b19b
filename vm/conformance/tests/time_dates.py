# Broken-down time, its text and back, and zones with summer time.
# needs: lib
import os, time

print(time.gmtime(0))
print(tuple(time.gmtime(-1.5)), time.gmtime(0).tm_zone, time.gmtime(0).tm_gmtoff)
print(time.asctime(time.gmtime(1234567890)))
print(time.strftime('%Y-%m-%d %H:%M:%S %j %a %b %p%%', time.gmtime(1234567890)))
print(repr(time.strftime('', time.gmtime(0))), time.strftime('%d\u20ac', time.gmtime(0)))
for zone in ('EST+05EDT,M4.1.0,M10.5.0', 'AEST-10AEDT-11,M10.5.0,M3.5.0', 'UTC+0'):
    os.environ['TZ'] = zone
    time.tzset()
    print(time.tzname, time.timezone, time.altzone, time.daylight)
    summer = time.localtime(1025222400)
    print(summer, summer.tm_zone, summer.tm_gmtoff, time.mktime(summer), time.ctime(1025222400))
    print(time.strftime('%Z %z', summer))
print(time.strptime('2001-02-03 04:05:06', '%Y-%m-%d %H:%M:%S'))
t = time.struct_time((2000, 1, 2, 3, 4, 5, 6, 7, 0))
print(t, t.tm_zone, len(t), t[:3])
for bad in (lambda: time.gmtime('x'), lambda: time.gmtime(float('nan')), lambda: time.gmtime(1e300),
            lambda: time.asctime((1, 2, 3)), lambda: time.asctime('abc'), lambda: time.mktime((1, 2)),
            lambda: time.strftime('', (1900, 13, 1, 0, 0, 0, 0, 1, -1)),
            lambda: time.strftime('', (1900, 1, 32, 0, 0, 0, 0, 1, -1)),
            lambda: time.strftime('', (1900, 1, 1, 24, 0, 0, 0, 1, -1)),
            lambda: time.strftime('', (1900, 1, 1, 0, 60, 0, 0, 1, -1)),
            lambda: time.strftime('', (1900, 1, 1, 0, 0, 62, 0, 1, -1)),
            lambda: time.strftime('', (1900, 1, 1, 0, 0, 0, -2, 1, -1)),
            lambda: time.strftime('', (1900, 1, 1, 0, 0, 0, 0, 367, -1)),
            lambda: time.strftime(5), lambda: time.strftime('', None), lambda: len(time.strftime('%Y')),
            lambda: len(time.asctime()), lambda: len(time.ctime(None)), lambda: len(time.gmtime()), lambda: time.get_clock_info('x'), lambda: time.clock_gettime(1 << 20)):
    try:
        print(bad())
    except Exception as e:
        print(type(e).__name__, e)
i = time.get_clock_info('monotonic')
print(i.implementation, i.monotonic, i.adjustable, i.resolution)
