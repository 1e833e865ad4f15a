"""Calls within compiler/lower go one way: a file calls only those that internal.h lists before it.

    call_order.py INTERNAL_H OBJECT...

What a file defines and what it needs is asked of nm.
"""
import pathlib
import re
import subprocess
import sys


def listed(header):
    comment = header.read_text().split("*/", 1)[0]
    rows = re.findall(r"(?m)^ \*   ((?:\w+, )*\w+) {2,}", comment)
    return [name for row in rows for name in row.split(", ")]


def symbols(path):
    lines = subprocess.run(["nm", path], capture_output=True, text=True, check=True).stdout
    fields = [line.split() for line in lines.splitlines()]
    return ({f[-1] for f in fields if f[-2] in "TDBRC"}, {f[-1] for f in fields if f[-2] == "U"})


def main():
    order = listed(pathlib.Path(sys.argv[1]))
    objects = {pathlib.Path(path).name.split(".")[0]: symbols(path) for path in sys.argv[2:]
               if "/lower/" in path}
    if set(order) != set(objects):
        sys.exit(f"internal.h lists {sorted(order)}, but there are {sorted(objects)}")
    wrong = [f"{name}.c calls {symbol} of {later}.c" for at, name in enumerate(order)
             for later in order[at + 1:] for symbol in objects[name][1] & objects[later][0]]
    if wrong:
        sys.exit("\n".join(wrong))
    used = sum(len(objects[name][1] & objects[other][0]) for name in order for other in order)
    if used < 50:
        sys.exit(f"only {used} calls between files were found")


main()
