# A file that does not parse prints SyntaxError and exits 1.
# check: stderr
print("never")
x = = 1
