from attack import got, status

for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
    if int(status(name), 16):
        got("%s %s" % (name, status(name)))
