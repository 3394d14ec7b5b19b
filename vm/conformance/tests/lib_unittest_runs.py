# unittest finds, runs and counts test cases.
# needs: lib
import unittest, io
class T(unittest.TestCase):
    def test_ok(self): self.assertEqual(1, 1)
    def test_fail(self): self.assertEqual(1, 2)
    def test_error(self): 1 / 0
    @unittest.skip("why")
    def test_skip(self): pass
r = unittest.TextTestRunner(stream=io.StringIO(), verbosity=2).run(unittest.defaultTestLoader.loadTestsFromTestCase(T))
print(r.testsRun, len(r.failures), len(r.errors), len(r.skipped))
print(r.failures[0][1].splitlines()[-1])
