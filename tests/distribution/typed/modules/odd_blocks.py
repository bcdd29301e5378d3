import contextlib

with contextlib.suppress(ImportError) as nothing, open("x") as (one, two):
    import tomli
    import json as json
for i, (j, k) in []:
    looped = i
else:
    other = 1
while i:
    repeated = 1
