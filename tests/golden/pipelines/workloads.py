"""workloads.py TABLE FOLDER: the counts in FOLDER/README.md are those of the table.

Each pipeline of FOLDER has a row there: | `NAME.yaml` | what | ops | dispatches | barriers |. With RP_BLESS=1 the
counts are written instead. A pipeline without a row fails, and so does a row without a pipeline."""
import os
import pathlib
import re
import sys

table, folder = map(pathlib.Path, sys.argv[1:])
counts = {}
for line in table.read_text().splitlines():
    row = re.fullmatch(rf"{folder.name}/(\S+) +(\d+) +(\d+) -> (\d+) +(\d+) -> (\d+) .*", line)
    if row:
        counts[row[1]] = f"{row[2]} | {row[4]} | {row[6]}"
readme, wrong, seen = folder / "README.md", [], set()
lines = readme.read_text().splitlines()
for i, line in enumerate(lines):
    row = re.fullmatch(r"(\| `([\w-]+)\.yaml` \| .* \|) (\d+ \| \d+ \| \d+) \|", line)
    if not row:
        continue
    seen.add(row[2])
    wanted = counts.get(row[2], "no pipeline of that name")
    if row[3] != wanted:
        wrong.append(f"{row[2]}: {row[3]}, expected {wanted}")
        lines[i] = f"{row[1]} {wanted} |"
missing = {path.stem for path in folder.glob("*.yaml")} - seen
if os.environ.get("RP_BLESS") == "1" and not missing and seen <= counts.keys():
    readme.write_text("\n".join(lines) + "\n")
    sys.exit(0)
for name in sorted(missing):
    wrong.append(f"{name}.yaml has no row")
print("\n".join(wrong) or f"{len(seen)} rows agree")
sys.exit(1 if wrong or not seen else 0)
