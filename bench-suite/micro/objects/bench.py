"""Attributes and methods of ordinary objects.

A warehouse: parcels travel between stations of three kinds whose `accept`
differs, loads and ledgers are attributes, one is a property, one class has
`__slots__`, and small vectors overload operators.
"""


class Vec:
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x = x
        self.y = y

    def __add__(self, other):
        return Vec(self.x + other.x, self.y + other.y)

    def __sub__(self, other):
        return Vec(self.x - other.x, self.y - other.y)

    def manhattan(self):
        return abs(self.x) + abs(self.y)


class Parcel:
    def __init__(self, number, weight):
        self.number = number
        self.weight = weight
        self.hops = 0
        self.fees = 0


class Station:
    fee = 3

    def __init__(self, name, place):
        self.name = name
        self.place = place
        self.handled = 0
        self.load = 0
        self.next = None

    @property
    def crowded(self):
        return self.load > 500

    def accept(self, parcel):
        self.handled += 1
        self.load += parcel.weight
        parcel.hops += 1
        parcel.fees += self.charge(parcel)
        return self.next

    def charge(self, parcel):
        return self.fee

    def settle(self):
        if self.crowded:
            self.load = self.load // 4
        return self.load


class Hub(Station):
    fee = 2

    def __init__(self, name, place):
        super().__init__(name, place)
        self.other = None
        self.toggle = False

    def accept(self, parcel):
        forward = super().accept(parcel)
        self.toggle = not self.toggle
        return self.other if self.toggle else forward


class Toll(Station):
    def charge(self, parcel):
        return self.fee + parcel.weight % 5


def build(count):
    stations = []
    for i in range(count):
        place = Vec(i * 7 % 11, i * 5 % 13)
        if i % 5 == 0:
            station = Hub("hub", place)
        elif i % 3 == 0:
            station = Toll("toll", place)
        else:
            station = Station("plain", place)
        stations.append(station)
    for i, station in enumerate(stations):
        station.next = stations[(i + 1) % count]
        if isinstance(station, Hub):
            station.other = stations[(i + 4) % count]
    return stations


def run(inner):
    stations = build(12)
    way = Vec(0, 0)
    length = 0
    fees = 0
    for number in range(inner):
        parcel = Parcel(number, 1 + number * 31 % 17)
        here = stations[number % 12]
        for _ in range(10):
            there = here.accept(parcel)
            step = there.place - here.place
            length += step.manhattan()
            way = way + step
            here = there
        fees += parcel.fees
        here.settle()
    handled = 0
    load = 0
    for station in stations:
        handled += station.handled
        load += station.load
    return "%d/%d/%d/%d/%d,%d" % (fees, length, handled, load, way.x, way.y)
