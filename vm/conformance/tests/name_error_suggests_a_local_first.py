# A local name is suggested even where a global one is closer.
# check: stderr
R0 = 5

def main():
    i0 = 3
    print(r0)

main()
