"""What a thing is: the only definition of every field, in frozen models.

From these models come the MongoDB validators and indexes (crawler.storage.schema), the CSV
header (columns), and docs/items.md. `None` means "the page does not show it", 0 means "shown
as zero". Money is Decimal; counts are whole numbers up to 2^63-1; moments are UTC with
milliseconds, because that is what MongoDB keeps.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

MAX_INT64 = 2**63 - 1
LONGEST_KEY = 900  # MongoDB refuses index entries above 1,024 bytes


def _to_utc_ms(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    excess = utc.microsecond % 1000
    return utc.replace(microsecond=utc.microsecond - excess) if excess else utc


Moment = Annotated[datetime, AfterValidator(_to_utc_ms)]
Whole = Annotated[int, Field(ge=0, le=MAX_INT64, strict=True)]
Step = Annotated[int, Field(ge=2, le=MAX_INT64, strict=True)]
Price = Annotated[Decimal, Field(ge=0, max_digits=24, decimal_places=8, allow_inf_nan=False)]
Texts = tuple[str, ...]


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Vantage(Frozen):
    """From where a page was seen. Numbers of different vantages are never mixed silently."""

    country: str | None = None
    """ISO 3166-1 alpha-2 code of the country seen from; None when unknown."""
    language: str | None = None
    """Language asked for (BCP 47); None when unknown."""
    session: Literal["anonymous", "api"] = "anonymous"
    """anonymous: no account; api: the user's own key."""
    via: str | None = None
    """Host of the proxy it was seen through, without credentials; None: seen directly."""


class Item(Frozen):
    """A fact about an entity at a moment."""

    collection: ClassVar[str]
    counters: ClassVar[tuple[str, ...]] = ()
    together: ClassVar[tuple[tuple[str, ...], ...]] = ()
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = ()

    kind: str
    """Name of the model in lower case."""
    key: str = Field(default="", max_length=LONGEST_KEY)
    """Natural key, `_id` in MongoDB; made from the other fields where not given."""
    platform: str = Field(min_length=1)
    """Where the entity lives: tiktok, x, google, shopify, …"""
    url: str
    """Address of the page that showed it, without secrets."""
    observed_at: Moment
    """Moment of the capture (UTC), never of the parsing."""
    at_precision: Literal["day"] | None = None
    """`day` when only the day of the capture is known: it lies within 24 h after observed_at; else None."""
    capture: str = Field(min_length=1)
    """Id of the archived response this was read from."""
    parser: str = Field(pattern=r"^[a-z0-9_.]+@[0-9]+(\.[0-9]+)?$")
    """Page object and its version, e.g. `tiktok.profile@3`; `@3.1` with the first revision of its repairs."""
    vantage: Vantage = Vantage()
    """From where the page was seen."""

    def natural_key(self) -> str:
        raise NotImplementedError(type(self).__name__)

    def model_post_init(self, _: Any) -> None:
        if not self.key:
            key = self.natural_key()
            if len(key) > LONGEST_KEY:  # made after the fields were validated, so judged here
                raise ValueError(f"key: expected at most {LONGEST_KEY} characters, found {len(key)}")
            object.__setattr__(self, "key", key)

    @classmethod
    def facts(cls) -> tuple[str, ...]:
        """The fields that say something of the entity: all but the envelope."""
        return tuple(name for name in cls.model_fields if name not in ENVELOPE)

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """The CSV header: every field in the order of the model."""
        return tuple(cls.model_fields)


ENVELOPE = frozenset(Item.model_fields)


class Profile(Item):
    """An account as its profile page shows it."""

    collection: ClassVar[str] = "profiles"
    counters: ClassVar[tuple[str, ...]] = ("followers", "following", "likes", "videos")
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("username",), ("user_id",), ("-followers",))

    kind: Literal["profile"] = "profile"
    username: str = Field(min_length=1)
    """Handle without '@', in the case the page shows."""
    user_id: str | None = None
    """The platform's own number of the account; survives a renamed handle."""
    sec_uid: str | None = None
    """TikTok's second, opaque account id."""
    nickname: str | None = None
    """Display name."""
    bio: str | None = None
    """Text the account says of itself."""
    bio_link: str | None = None
    """Link in the bio as shown; may lack a scheme."""
    avatar_url: str | None = None
    """Picture; signed addresses expire within days."""
    verified: bool | None = None
    """The platform's badge."""
    private: bool | None = None
    """Posts are shown to followers only."""
    region: str | None = None
    """Country the platform itself states for the account (ISO 3166-1 alpha-2)."""
    category: str | None = None
    """Business category the account chose."""
    followers: Whole | None = None
    """Accounts following it."""
    followers_precision: Step | None = None
    """Rounding step of followers; None when exact."""
    following: Whole | None = None
    """Accounts it follows."""
    following_precision: Step | None = None
    """Rounding step of following; None when exact."""
    likes: Whole | None = None
    """Likes received over all posts."""
    likes_precision: Step | None = None
    """Rounding step of likes; None when exact."""
    videos: Whole | None = None
    """Public posts, videos and photos."""
    videos_precision: Step | None = None
    """Rounding step of videos; None when exact."""

    def natural_key(self) -> str:
        return f"{self.platform}:profile:{self.username.lower()}"


class Subtitle(Frozen):
    """One subtitle file of a video."""

    language: str | None = None
    """Language code as the platform writes it (eng-US)."""
    url: str
    """Address; signed, expires within hours."""
    format: str | None = None
    """webvtt, srt, …"""


class Post(Item):
    """A video, photo or text post."""

    collection: ClassVar[str] = "posts"
    counters: ClassVar[tuple[str, ...]] = (
        "views", "likes", "comments", "shares", "saves", "reposts", "author_followers",
    )  # fmt: skip
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("author", "-created_at"), ("hashtags", "-created_at"), ("-created_at",), ("-views",),
    )  # fmt: skip

    kind: Literal["post"] = "post"
    post_id: str = Field(min_length=1)
    """The platform's number of the post, as text (exceeds 2^53)."""
    media: Literal["video", "photo", "text"] | None = None
    """What is posted."""
    author: str | None = None
    """Handle of the author without '@'; never the sharer."""
    author_id: str | None = None
    """The platform's number of the author."""
    created_at: Moment | None = None
    """When it was posted; from the id where the page hides it."""
    caption: str | None = None
    """Text of the post."""
    language: str | None = None
    """Language the platform states for the text."""
    hashtags: Texts | None = None
    """Names without '#', lower case, in order of appearance."""
    mentions: Texts | None = None
    """Handles without '@'."""
    sound_id: str | None = None
    """The platform's number of the sound."""
    sound_title: str | None = None
    """Title of the sound."""
    duration_s: float | None = Field(default=None, ge=0)
    """Length of the video in seconds."""
    cover_url: str | None = None
    """Still image; signed addresses expire."""
    subtitles: tuple[Subtitle, ...] | None = None
    """Subtitle files on offer."""
    urls: Texts | None = None
    """Links in the text, expanded where the page shows them."""
    location: str | None = None
    """Country or place the item itself states; never the one asked for."""
    category: str | None = None
    """Category the item itself states."""
    author_followers: Whole | None = None
    """Followers of the author when the post was seen."""
    author_followers_precision: Step | None = None
    """Rounding step of author_followers; None when exact."""
    repost_of: str | None = None
    """Key of the post it repeats."""
    is_ad: bool | None = None
    """The platform marks it as advertising."""
    pinned: bool | None = None
    """Fixed at the top of the profile, so not in order of time."""
    views: Whole | None = None
    """Plays as shown: times, not people."""
    views_precision: Step | None = None
    """Rounding step of views; None when exact."""
    likes: Whole | None = None
    """Likes."""
    likes_precision: Step | None = None
    """Rounding step of likes; None when exact."""
    comments: Whole | None = None
    """Comments, replies included where the platform counts them."""
    comments_precision: Step | None = None
    """Rounding step of comments; None when exact."""
    shares: Whole | None = None
    """Times shared."""
    shares_precision: Step | None = None
    """Rounding step of shares; None when exact."""
    saves: Whole | None = None
    """Times put among favourites."""
    saves_precision: Step | None = None
    """Rounding step of saves; None when exact."""
    reposts: Whole | None = None
    """Times reposted."""
    reposts_precision: Step | None = None
    """Rounding step of reposts; None when exact."""

    def natural_key(self) -> str:
        return f"{self.platform}:post:{self.post_id}"


class Hashtag(Item):
    """A hashtag as its page or a list shows it."""

    collection: ClassVar[str] = "hashtags"
    counters: ClassVar[tuple[str, ...]] = ("views", "posts")
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("name",), ("-views",))

    kind: Literal["hashtag"] = "hashtag"
    name: str = Field(min_length=1)
    """Name without '#', in the case the page shows."""
    tag_id: str | None = None
    """The platform's number of the hashtag."""
    description: str | None = None
    """Text of the hashtag's page."""
    views: Whole | None = None
    """Plays of all its posts."""
    views_precision: Step | None = None
    """Rounding step of views; None when exact."""
    posts: Whole | None = None
    """Posts that carry it."""
    posts_precision: Step | None = None
    """Rounding step of posts; None when exact."""

    def natural_key(self) -> str:
        return f"{self.platform}:hashtag:{self.name.lower()}"


class Sound(Item):
    """A sound that posts use."""

    collection: ClassVar[str] = "sounds"
    counters: ClassVar[tuple[str, ...]] = ("posts",)
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("-posts",),)

    kind: Literal["sound"] = "sound"
    sound_id: str = Field(min_length=1)
    """The platform's number of the sound."""
    title: str | None = None
    """Title."""
    author: str | None = None
    """Artist or account named with it."""
    original: bool | None = None
    """Recorded with a post rather than taken from a catalogue."""
    posts: Whole | None = None
    """Posts that use it."""
    posts_precision: Step | None = None
    """Rounding step of posts; None when exact."""

    def natural_key(self) -> str:
        return f"{self.platform}:sound:{self.sound_id}"


@lru_cache(maxsize=4096)  # the rows of a board share their moment
def stamp(moment: datetime) -> str:
    """2021-09-19 11:04:28 UTC -> '20210919T110428Z'; milliseconds only where there are any."""
    ms = moment.microsecond // 1000
    return moment.strftime("%Y%m%dT%H%M%S") + (f".{ms:03d}Z" if ms else "Z")


class Board(Item):
    """A trending list, grid or ranking as it stood at a moment."""

    collection: ClassVar[str] = "boards"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("board", "-at"),)

    kind: Literal["board"] = "board"
    board: str = Field(min_length=1)
    """Which list: source, host where hosts differ, and place, e.g. `x:trends:br`."""
    at: Moment
    """Moment the list itself states (as_of), else the moment of the capture."""
    place: str | None = None
    """Place the list is for: ISO code in lower case, `world`, or a city."""
    source: str | None = None
    """Site or API it came from."""
    size: Whole | None = None
    """Rows stored."""
    asked: Whole | None = None
    """Rows asked for; None when the source has no such setting."""
    got: Whole | None = None
    """Rows the page showed, refused ones included."""
    ceiling: Whole | None = None
    """Most rows this source ever shows."""

    def natural_key(self) -> str:
        return f"{self.board}@{stamp(self.at)}"


class News(Frozen):
    """A report that a trending list names as the reason."""

    title: str
    """Headline."""
    url: str | None = None
    """Address of the report."""
    source: str | None = None
    """Who published it."""


class BoardEntry(Item):
    """One row of a board. A topic that is absent is censored, not zero."""

    collection: ClassVar[str] = "board_entries"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (
        ("board", "topic_key", "at"), ("board", "at", "position"), ("entity", "at"),
    )  # fmt: skip

    kind: Literal["boardentry"] = "boardentry"
    board: str = Field(min_length=1)
    """Which list, as in Board."""
    at: Moment
    """Moment of the list, as in Board."""
    position: int = Field(ge=1, le=100_000, strict=True)
    """Rank on the list, from 1; promoted rows stand behind all earned ones."""
    shown_at: int | None = Field(default=None, ge=0, le=100_000, strict=True)
    """Place the list itself states, where it is not position: promoted rows are counted there."""
    topic: str = Field(min_length=1)
    """Text as shown."""
    topic_key: str = Field(min_length=1)
    """Topic folded for comparison: case, accents, '#', spacing."""
    volume: Whole | None = None
    """Number shown beside the topic; None when hidden."""
    volume_precision: Step | None = None
    """Rounding step of volume; None when exact."""
    volume_at_least: bool | None = None
    """Shown as "200K+": volume is a lower bound; None when it is the number itself."""
    volume_floor: Whole | None = None
    """When volume is hidden: the number below which this source hides it."""
    promoted: bool | None = None
    """Bought, not earned."""
    category: str | None = None
    """Category the list states."""
    entity: str | None = None
    """Key of the hashtag, post, sound or product, where the row is one."""
    since: Moment | None = None
    """When the topic began to trend, where the list says it."""
    news: tuple[News, ...] | None = None
    """News reports that the list shows with the topic."""

    def natural_key(self) -> str:
        return f"{self.board}@{stamp(self.at)}#{self.position}"


class Evidence(Frozen):
    """A candidate value of a page without a fixed form, and what spoke for it."""

    field: str
    """price, availability or sku."""
    value: str
    """What it would be."""
    source: str
    """json-ld, microdata, rdfa, meta, family, visible, label, named, address, state, stock, button or default."""
    where: str
    """Block, element or words that said so."""
    weight: float
    """The heaviest value is taken; those of several kinds of sources help each other."""
    why: str
    """In words."""
    taken: bool
    """This is the value that the item carries."""


class Product(Item):
    """A product as a store's page shows it."""

    collection: ClassVar[str] = "products"
    counters: ClassVar[tuple[str, ...]] = ("rating", "rating_count", "sold_count")
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("handle",), ("brand",), ("gtin",))

    kind: Literal["product"] = "product"
    host: str = Field(min_length=1)
    """Store, as host name without `www.`."""
    product_id: str | None = None
    """The store's number of the product."""
    handle: str | None = None
    """The store's readable name of the product in its addresses."""
    title: str | None = None
    """Name."""
    brand: str | None = None
    """Brand."""
    vendor: str | None = None
    """Seller's own vendor field; often, not always, the brand."""
    category: str | None = None
    """The store's product type."""
    tags: Texts | None = None
    """The store's labels."""
    sku: str | None = None
    """Stock number, where the product has a single one."""
    gtin: str | None = None
    """Bar code (GTIN-8, -12, -13 or -14)."""
    mpn: str | None = None
    """Manufacturer's part number."""
    description: str | None = None
    """Text without markup."""
    image_url: str | None = None
    """First picture."""
    rating: float | None = Field(default=None, ge=0, le=100, allow_inf_nan=False)
    """Mean rating as shown, on the store's own scale."""
    rating_count: Whole | None = None
    """Ratings behind the mean."""
    rating_count_precision: Step | None = None
    """Rounding step of rating_count; None when exact."""
    rating_shared_with: Texts | None = None
    """Keys of products of the same page that show the very same rating and count."""
    sold_count: Whole | None = None
    """Units sold, where shown."""
    sold_count_precision: Step | None = None
    """Rounding step of sold_count; None when exact."""
    evidence: tuple[Evidence, ...] | None = None
    """All candidates for price, availability and sku, where a general reader had to choose; else None."""

    def natural_key(self) -> str:
        return f"{self.host}:product:{self.product_id or self.handle or _no_key(self)}"


class Offer(Item):
    """What one variant of a product costs."""

    collection: ClassVar[str] = "offers"
    counters: ClassVar[tuple[str, ...]] = ("price", "list_price", "currency", "available")
    together: ClassVar[tuple[tuple[str, ...], ...]] = (("price", "list_price", "currency"),)
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("product",), ("-observed_at",))

    kind: Literal["offer"] = "offer"
    product: str = Field(min_length=1)
    """Key of the product."""
    variant_id: str | None = None
    """The store's number of the variant; None when the product has a single offer."""
    title: str | None = None
    """Name of the variant."""
    price: Price | None = None
    """Price asked, in units of the currency (never cents)."""
    list_price: Price | None = None
    """Struck-through price; only where it is above price."""
    currency: str | None = Field(default=None, pattern="^[A-Z]{3}$")
    """ISO 4217; None when the page does not state it."""
    available: bool | None = None
    """Can be ordered now."""
    seller: str | None = None
    """Who sells it on a marketplace."""
    shipping: Price | None = None
    """Cost of delivery; 0 when free."""

    def natural_key(self) -> str:
        return f"{self.product}:{self.variant_id or 'default'}"


class Comment(Item):
    """A public comment; its author only as a keyed hash."""

    collection: ClassVar[str] = "comments"
    counters: ClassVar[tuple[str, ...]] = ("likes", "replies")
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("post", "-created_at"),)

    kind: Literal["comment"] = "comment"
    comment_id: str = Field(min_length=1)
    """The platform's number of the comment."""
    post: str | None = None
    """Key of the post."""
    text: str | None = None
    """Text."""
    language: str | None = None
    """Language the platform states."""
    created_at: Moment | None = None
    """When it was written."""
    likes: Whole | None = None
    """Likes."""
    likes_precision: Step | None = None
    """Rounding step of likes; None when exact."""
    replies: Whole | None = None
    """Answers."""
    replies_precision: Step | None = None
    """Rounding step of replies; None when exact."""
    author_hash: str | None = None
    """Keyed hash of the author: the same person, not who."""

    def natural_key(self) -> str:
        return f"{self.platform}:comment:{self.comment_id}"


class Amount(Frozen):
    """One amount of money or percentage in a deal's text."""

    text: str
    """As written."""
    value: Price | None = None
    """The number."""
    value_max: Price | None = None
    """Upper end of a range."""
    currency: str | None = None
    """ISO 4217, or `%`."""
    role: str | None = None
    """price, was_price, discount_amount, discount_percent, threshold, shipping, income_or_wealth or other_money."""


class Deal(Item):
    """An offer announced in a post."""

    collection: ClassVar[str] = "deals"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("post",), ("brand",), ("retailer",))

    kind: Literal["deal"] = "deal"
    post: str = Field(min_length=1)
    """Key of the post."""
    number: int = Field(default=1, ge=1, strict=True)
    """Which deal of the post, from 1."""
    product: str | None = None
    """What is offered, as written."""
    brand: str | None = None
    """Brand named."""
    retailer: str | None = None
    """Who sells it."""
    amounts: tuple[Amount, ...] | None = None
    """Every amount in the text."""
    free_shipping: bool | None = None
    """Delivery costs nothing."""
    coupon: str | None = None
    """Code to enter."""
    valid_until: Moment | None = None
    """End of the offer."""

    def natural_key(self) -> str:
        return f"{self.post}:deal:{self.number}"


class Review(Item):
    """A review of a product; its author only as a keyed hash."""

    collection: ClassVar[str] = "reviews"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("product", "-created_at"),)

    kind: Literal["review"] = "review"
    product: str = Field(min_length=1)
    """Key of the product."""
    review_id: str = Field(min_length=1)
    """The store's or widget's number of the review."""
    rating: float | None = Field(default=None, ge=0, le=100, allow_inf_nan=False)
    """Stars, on the store's own scale."""
    title: str | None = None
    """Title."""
    text: str | None = None
    """Text."""
    author_hash: str | None = None
    """Keyed hash of the author."""
    created_at: Moment | None = None
    """When it was written."""
    verified: bool | None = None
    """The store says the author bought it."""
    language: str | None = None
    """Language stated."""

    def natural_key(self) -> str:
        return f"{self.product}:review:{self.review_id}"


KINDS: dict[str, type[Item]] = {
    str(model.model_fields["kind"].default): model
    for model in (
        Profile, Post, Hashtag, Sound, Board, BoardEntry,
        Product, Offer, Comment, Deal, Review,
    )
}  # fmt: skip


class Refused(Frozen):
    """What a page read but no model accepts: kept in quarantine with its reason."""

    kind: str
    """Kind it would have been."""
    reason: str
    """`field_rule`, e.g. `views_greater_than_equal`."""
    data: str
    """What was read, as JSON text, never as a document."""
    url: str
    observed_at: Moment
    capture: str
    parser: str

    @classmethod
    def of(cls, kind: str, reason: str, data: object, source: Item | Any) -> Self:
        return cls(
            kind=kind, reason=reason, data=as_json_text(data), url=source.url,
            observed_at=source.observed_at, capture=source.capture, parser=source.parser,
        )  # fmt: skip


def reason_of(error: ValidationError) -> str:
    """'views_greater_than_equal': first field and rule; no value, so safe to log and count."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    field = str(first["loc"][0]) if first["loc"] else "item"
    return f"{field if field.isidentifier() else 'item'}_{first['type']}"


def as_json_text(data: object) -> str:
    import json

    import orjson

    try:
        return orjson.dumps(data, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except TypeError:  # half a surrogate pair, which is no UTF-8; here it is written as an escape
        try:
            return json.dumps(data, default=str)
        except RecursionError:
            return '"nested too deeply to be kept"'


def _no_key(item: Item) -> str:
    raise ValueError(f"{item.kind}: neither id nor handle, so no key")
