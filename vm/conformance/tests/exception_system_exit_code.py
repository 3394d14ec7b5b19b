# SystemExit ends with its code and runs finally.
# check: stderr
import sys
try:
    sys.exit(7)
finally:
    print("cleanup")
