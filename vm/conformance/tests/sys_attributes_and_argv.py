# sys has the version, flags, limits and streams of Python 3.11.
import sys
print(sys.version_info[:2], sys.maxsize == 2 ** 63 - 1, sys.byteorder, sys.maxunicode, len(sys.argv), isinstance(sys.path, list), sys.float_info.max, sys.int_info.default_max_str_digits, sys.hash_info.modulus, sys.getdefaultencoding(), sys.stdout.encoding.lower(), sys.flags.optimize, __name__)
