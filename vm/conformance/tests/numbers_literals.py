# Integer, float, complex and string literals in all spellings.
print(0xFF, 0o17, 0b1010, 1_000_000, 1e3, 1.5E-3, .5, 5., 1_0.0_1, 3j, 0.5J, 0xdead_beef, 00, 1if 1else 2)
print("\x41\u00e9\U0001F600\101\0", b"\x41\101", r"\n", "a" 'b' """c""", 'it''s', "\
joined", br"\x", Rb"\y", u"u", '''q"'q''')
