# A bridge that returns from an inlined callee keeps all registers of the caller in use at a collection.
ns0 = {'spare0': 0, 'spare': 1, 'mva0': 12, 'mvb0': 64}
exec('def get(x):\n    return mva0 * 100 + mvb0 + x', ns0)
def change0(n):
    if n % 7 == 1:
        _d = ns0
        _v = _d.pop('mva0')
        _d['fresh0'] = 50
        _d['mva0'] = _v + 1
def main():
    acc = 1
    get0 = ns0['get']
    for n1 in range(44):
        acc = (acc * 31 + get0(n1)) % 1000003
        list(map(change0, [n1]))
    print(acc)
main()
main()
