"""`--diff`: is a product new, changed or the same beside what earlier runs have stored?

A compact index remembers where each earlier product stands: its place in a plain file, which is read again when the new
answer has come, or a hash of its content where the file is compressed. It fetches nothing and changes no file.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Final, Literal, TypeAlias

from fetcher.errors import InputError, UsageError
from fetcher.output.compress import lines_in
from fetcher.output.content import HASH_BITS, Sorted, content_hash, split_data, stored
from fetcher.output.disk import Disk
from fetcher.output.index import IdMap
from fetcher.output.journal import Journal
from fetcher.output.known import require_file
from fetcher.output.line import head_id

Change: TypeAlias = Literal["new", "changed", "same"]

_REST: Final = (1 << HASH_BITS) - 1
MOST_FILES: Final = 255


class Comparison:
    """Made before a run; used by one thread at a time.

    Args:
        paths: OUT files of earlier runs. Where several hold an ID, the last named one counts.
        only_changed: what is the same gets a slim line of another file.

    Raises:
        UsageError: a file is missing, or holds no product of ours.
    """

    def __init__(self, paths: Sequence[str], *, only_changed: bool = False) -> None:
        if len(paths) > MOST_FILES:
            raise UsageError(f"--diff takes at most {MOST_FILES} files")
        self.paths = tuple(paths)
        self.only_changed = only_changed
        self.counts: dict[str, int] = {"new": 0, "changed": 0, "same": 0}
        self._index = IdMap()
        self._files: list[io.BufferedReader | None] = []
        try:
            for path in paths:
                self._take_in(path)
        except BaseException:
            self.close()
            raise

    def __len__(self) -> int:
        return len(self._index)

    def _take_in(self, path: str) -> None:
        require_file(path, "--diff")
        journal, number, index = Journal(path, Disk()), len(self._files) << HASH_BITS, self._index
        self._files.append(None if journal.is_packed else open(path, "rb"))  # noqa: SIM115 - closed by `close`
        index.reserve(journal.expected_lines())
        lines = products = 0
        for region, end in journal.regions():
            at = end - len(region)
            for line in lines_in(region):
                lines += 1
                product = stored(line)
                if product is not None and product.data is not None:
                    products += 1
                    index.put(product.id, number | (content_hash(product.data) if journal.is_packed else at))
                at += len(line) + 1
        if lines and not products:
            raise UsageError(f"{path} holds no product of ours", "--diff takes an OUT of an earlier run.")

    def change(self, product_id: str, data: bytes) -> Change:
        """What has become of it.

        Raises:
            InputError: the earlier file was changed under our hands.
        """
        found = self._index.get(product_id)
        if found is None:
            return "new"
        file = self._files[found >> HASH_BITS]
        if file is None:
            return "same" if content_hash(data) == found & _REST else "changed"
        file.seek(found & _REST)
        earlier = stored(file.readline()[:-1])
        if earlier is None or earlier.id != product_id or earlier.data is None:
            raise InputError(
                f"{file.name} was changed while products were compared with it",
                "--diff takes a file that nobody writes to; the same command goes on.",
            )
        same = earlier.data == data or content_hash(earlier.data) == content_hash(data)
        return "same" if same else "changed"

    def sort(self, products: bytes) -> Sorted:
        """Mark these lines, and sort out what is the same where only changes are wanted. Raises what `change` does."""
        out, unchanged, same_ids = list[bytes](), list[bytes](), list[str]()
        for line in lines_in(products):
            head, data = split_data(line)
            product_id = head_id(line) or ""
            change = self.change(product_id, data)
            self.counts[change] += 1
            marked = b'%b,"change":"%b"' % (head, change.encode())
            if self.only_changed and change == "same":
                unchanged.append(marked + b"}\n")
                same_ids.append(product_id)
            else:
                out.append(b'%b,"data":%b}\n' % (marked, data))
        return Sorted(b"".join(out), b"".join(unchanged), frozenset(same_ids))

    def close(self) -> None:
        """Let go of the files."""
        for file in self._files:
            if file is not None:
                file.close()
