import os
from attack import got

for name, value in os.environ.items():
    if "swordfish" in value:
        got("the secret in " + name)
