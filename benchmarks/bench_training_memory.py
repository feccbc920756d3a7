"""Memory of `textclf train`, all its processes together, by the number of documents.

Documents are those of Tobacco-3482 and misread copies of them, each with different errors, so that no text is repeated.
The memory is the sum of the proportional set sizes (Linux), in which what processes share counts once; it is looked at
four times a second.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from pathlib import Path

from common import Row, corrupted, finish, options, start_textclf, tobacco

from textclf.base.tables import write_rows

RATE = 0.01
"""Of misread characters: so much more for each set of copies."""


def main() -> None:
    parser = options("training_memory", __doc__)
    parser.add_argument("--documents", type=int, nargs="+", default=[1_000, 4_000], metavar="N")
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2], metavar="N")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.documents = [200]
    texts, categories = tobacco(quick=False)
    rows: list[Row] = []
    for documents in arguments.documents:
        times = -(-documents // len(texts))
        copies = [text for number in range(times) for text in corrupted(texts, RATE * number)]
        with tempfile.TemporaryDirectory() as folder:
            table = Path(folder, "documents.csv")
            content = zip(copies[:documents], (categories * times)[:documents], strict=True)
            write_rows(
                table,
                ["document_id", "text", "category"],
                ({"document_id": str(i), "text": text, "category": name} for i, (text, name) in enumerate(content)),
                formulas_safe=False,
            )
            for jobs in arguments.jobs:
                rows.append({"documents": documents, "jobs": jobs} | trained(table, jobs))
                print(rows[-1], file=sys.stderr)
    finish(arguments, {"Training, all processes together": rows})


def trained(table: Path, jobs: int) -> dict[str, float]:
    """Train on a table; the peak of the memory, seconds on the clock and of all processors."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    process = start_textclf(
        "train", table, "-o", table.with_name(f"{jobs}.textclf"), "--jobs", str(jobs), "--no-diagnostics"
    )
    peak = 0
    while process.poll() is None:
        peak = max(peak, sum(map(proportional_set_size, family(process.pid))))
        time.sleep(0.25)
    if process.returncode:
        raise SystemExit(process.returncode)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"peak MB": peak / 1e6, "seconds": time.perf_counter() - begun, "CPU seconds": seconds}


def family(pid: int) -> list[int]:
    """List a process and all that it has started."""
    parents: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            rest = path.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        parents[int(path.parent.name)] = int(rest[1])
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def proportional_set_size(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


if __name__ == "__main__":
    main()
