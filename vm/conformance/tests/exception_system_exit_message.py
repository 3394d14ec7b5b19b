# SystemExit with a text prints it to stderr and exits 1.
# check: stderr
raise SystemExit("going down")
