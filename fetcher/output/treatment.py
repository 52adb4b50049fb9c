"""What becomes of products on their way into OUT, in this order: fields left out, the schema looked at, compared.

It works on lines, so it is the same for answers of this process and for those that a worker process has encoded.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fetcher.errors import Defect
from fetcher.metrics import SchemaWatch
from fetcher.output.compress import lines_in
from fetcher.output.content import Sorted, split_data, stored
from fetcher.output.disk import Disk
from fetcher.output.journal import Journal

if TYPE_CHECKING:
    from fetcher.output.comparison import Comparison
    from fetcher.policy import FieldFilter

NOTHING_SAME: Final = frozenset[str]()


class Treatment:
    """Any of the three may be None. Used by one thread at a time.

    Args:
        fields: what is kept of an answer.
        schema: told of answers, and asked what has vanished.
        comparison: with what earlier runs have stored.
    """

    def __init__(
        self,
        fields: FieldFilter | None = None,
        schema: SchemaWatch | None = None,
        comparison: Comparison | None = None,
    ) -> None:
        self.fields, self._schema, self.comparison = fields, schema, comparison
        self.vanished: list[str] = []
        """Fields that nearly all answers had at first, in the order in which they were missed."""

    def treat(self, products: bytes | memoryview, sizes_bytes: Sequence[int]) -> Sorted:
        """These lines, whose sizes are known, as they are to be stored.

        Raises:
            InputError: see `Comparison.change`.
            Defect: an answer cannot be taken apart, so it cannot be stored without what is to be left out.
        """
        if self.fields is not None:
            thinned = [self._thinned(line) for line in lines_in(bytes(products))]
            products, sizes_bytes = b"".join(thinned), [len(line) for line in thinned]
        if self._schema is not None:
            self._look(self._schema, products, sizes_bytes)
        if self.comparison is not None:
            return self.comparison.sort(bytes(products))
        return Sorted(products, b"", NOTHING_SAME)

    def _thinned(self, line: bytes) -> bytes:
        assert self.fields is not None
        head, data = split_data(line)
        try:
            return b'%b,"data":%b}\n' % (head, self.fields.apply(data))
        except ValueError as error:
            raise Defect(f"an answer could not be stored: {error}", "without --keep and --drop it can") from None

    def _look(self, schema: SchemaWatch, products: bytes | memoryview, sizes_bytes: Sequence[int]) -> None:
        number = start = 0
        while (further := schema.wants(len(sizes_bytes) - number)) is not None:
            start += sum(sizes_bytes[number : number + further])
            number += further
            end = start + sizes_bytes[number]
            self.vanished += schema.observe(split_data(bytes(products[start : end - 1]))[1])
            number, start = number + 1, end

    def close(self) -> None:
        """Let go of what is compared with."""
        if self.comparison is not None:
            self.comparison.close()

    def learn(self, out: str) -> None:
        """A run that goes on knows from OUT what products look like, also when it starts after a change."""
        if self._schema is not None:
            for data in first_products(out, self._schema.learns):
                self._schema.observe(data)


def first_products(out: str, n: int) -> Iterator[bytes]:
    """The contents of the first products of OUT; nothing where it is not there."""
    if out == "-" or not Path(out).is_file():
        return
    for region, _ in Journal(out, Disk()).regions():
        for line in lines_in(region):
            product = stored(line)
            if product is not None and product.data is not None:
                yield product.data
                n -= 1
            if not n:
                return
