"""What an API is: how one ID is asked for, and where in the answer it stands. The words of this room.

It must not know which APIs there are, how calls are signed, or what errors mean.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final, TypeAlias

import msgspec

from fetcher.errors import UsageError

Path: TypeAlias = tuple[str, ...]
"""Names from the outside in: `("result", "productInfo")`."""


RESPONSE: Final = "_response"
"""With this ends the only key of an answer of the TOP family."""


class Family(Enum):
    """Whose gateway an API is called through."""

    AOP = auto()
    """1688's own: `namespace/name/version`."""
    TOP = auto()
    """Taobao's: one dotted name, one address for all."""


class IdList(Enum):
    """How several IDs stand in one parameter."""

    JSON = auto()
    """`[610947572360,610947572361]`."""
    COMMA = auto()
    """`610947572360,610947572361`."""


class Form(msgspec.Struct, frozen=True):
    """Where in an answer the thing that was asked for may stand, and where in it its ID. The documented place first."""

    things: tuple[Path, ...] = ()
    """Empty: unknown, so whatever is no error is the answer."""
    ids: tuple[Path, ...] = ()
    """The first that is there counts. Empty: it says none."""

    @property
    def levels(self) -> tuple[Path, ...]:
        """The objects of the envelope, in which an error may be told: all the way to the thing, and `result`."""
        ways = [path[:depth] for path in self.things for depth in range(len(path))]
        return tuple(path for path in dict.fromkeys([(), ("result",), *ways]) if path not in self.things)


class Listing(msgspec.Struct, frozen=True):
    """An API that takes many IDs a call and answers with a list."""

    usual: int
    """IDs in a call unless the user chose."""
    most: int
    """More are refused."""
    lists: tuple[Path, ...]
    """Where the list may stand in an answer."""
    ids: tuple[Path, ...]
    """Where an element may say its ID; the first that is there counts."""
    wrap: str = ""
    """An element is kept as the member of this name, as the API for one ID would have it; empty: as it is."""
    form: IdList = IdList.JSON


class Api(msgspec.Struct, frozen=True):
    """One API, as it is called and answered."""

    name: str
    """As it is chosen: a preset, or its full name."""
    namespace: str
    """Empty where the family knows none."""
    api_name: str
    id_parameter: str
    version: str = "1"
    family: Family = Family.AOP
    fixed: tuple[tuple[str, str], ...] = ()
    """Further parameters that it wants; `--param` may give them another value."""
    form: Form = Form()
    listing: Listing | None = None
    """Set for an API that takes many IDs a call."""
    numeric_ids: bool = True
    needs_token: bool = True
    """Documented so; an app of a single user needs none all the same."""
    id_field: str = ""
    """The ID parameter is a JSON text, in which the ID is a number under this name and `fixed` stand beside it."""
    tutorial_id_parameter: str = ""
    """The tutorial calls this API: with this ID parameter, and without `fixed`."""
    method: str = ""
    """GET or POST; empty: the protocol's own."""
    absent_codes: tuple[str, ...] = ()
    """Codes of a business failure that say "there is no such thing", in small letters, up to a colon."""
    price: float | None = None
    """Price of a call, where somebody has said it."""
    keep: tuple[Path, ...] = ()
    """What of the answer is kept, lists on the way included; empty: all."""
    about: str = ""
    """What it answers, as a phrase."""

    @property
    def path(self) -> str:
        """`{version}/{namespace}/{name}`, or the name where the family knows nothing else."""
        return self.api_name if self.family is Family.TOP else f"{self.version}/{self.namespace}/{self.api_name}"

    @property
    def full_name(self) -> str:
        """As `--api` takes it: `{namespace}/{name}/{version}`, or the dotted name."""
        return self.api_name if self.family is Family.TOP else f"{self.namespace}/{self.api_name}/{self.version}"

    @property
    def identity(self) -> str:
        """What an output belongs to: lines of one form."""
        return f"{self.path} ({self.name})" if self.keep else self.path

    def ids_per_call(self, chosen: int) -> int:
        """How many IDs go into one call.

        Args:
            chosen: by the user; 0 for the API's usual number.

        Raises:
            UsageError: it takes one ID, or not so many.
        """
        if self.listing is None:
            if chosen > 1:
                raise UsageError(
                    f"{self.name} takes one ID a call, not {chosen}",
                    "Leave --batch out, or choose an API that takes many: `fetcher apis` lists them.",
                )
            return 1
        if chosen > self.listing.most:
            raise UsageError(
                f"{self.name} takes at most {self.listing.most} IDs a call, not {chosen}",
                f"At most: --batch {self.listing.most}",
            )
        return chosen or self.listing.usual


PRODUCT_IDS: Final[tuple[Path, ...]] = (("productID",), ("productId",), ("offerId",))

PRODUCT: Final = Form(
    (("productInfo",), ("result", "productInfo"), ("result", "result", "productInfo")),
    PRODUCT_IDS,
)
"""`{"productInfo": {"productID": …}, "errMsg": …}`; wrappers met in the wild after the documented place."""

DETAIL: Final = Form((("result", "result"),), (("offerId",), ("productId",), ("productID",)))
"""`{"result": {"success": …, "code": …, "message": …, "result": {"offerId": …}}}`."""

ORDER: Final = Form((("result",),), (("baseInfo", "idOfStr"), ("baseInfo", "id")))
"""`{"result": {"baseInfo": {"idOfStr": …}}, "success": "true"}`. The text comes first: its number may have been damaged
by a program that keeps numbers as floats."""

ANY: Final = Form()
