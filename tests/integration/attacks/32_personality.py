from attack import expect_refused

ADDR_NO_RANDOMIZE, READ_IMPLIES_EXEC, PER_LINUX32 = 0x0040000, 0x0400000, 0x0008
for name, value in (("no address randomisation", ADDR_NO_RANDOMIZE), ("readable is executable", READ_IMPLIES_EXEC),
                    ("32-bit", PER_LINUX32)):
    expect_refused(name, 135, value)
