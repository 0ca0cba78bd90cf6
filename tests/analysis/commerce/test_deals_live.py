"""Stored posts are read for deals once, by watermark; what is taken back leaves."""

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta

from analysis.cli import main
from crawler.items import Post
from crawler.storage.deals import Deals
from crawler.storage.store import Store

NOON = datetime(2026, 9, 1, 12, tzinfo=UTC)


def post(number: str, caption: str, capture: str = "c1", **more: object) -> Post:
    return Post(
        platform="x", url=f"https://x.example/{number}", observed_at=NOON, capture=capture, parser="x.search@1",
        post_id=number, author="homebarn", created_at=NOON, caption=caption, language="en", **more,
    )  # fmt: skip


def keep(store: Store, capture: str, at: datetime, *posts: Post) -> None:
    store.save(posts)
    store.fetches([{"_id": capture, "url": "u", "outcome": "ok", "at": at}], at)


def test_new_posts_become_deals_once_and_expired_ones_leave_the_view(store, database, client, capsys):
    def deals_of_new_posts() -> str:
        assert main(["deals", "--database", database.name], lambda config: nullcontext(client)) == 0
        return str(capsys.readouterr().out)

    now = datetime.now(UTC)
    keep(store, "c1", now - timedelta(hours=2), post("1", "Kettle £20, was £35, until 30 September 2026 order now"),
         post("2", "lovely weather"))  # fmt: skip
    keep(store, "c2", now - timedelta(hours=1), post("3", "Mug $6 only, buy now, ends 1 October 2099", "c2"))
    first = deals_of_new_posts()
    keep(store, "c3", now, post("4", "Lamp $30 instead of $50, shop now", "c3"))
    second = deals_of_new_posts()

    assert "3 posts read" in first and "2 deals in them" in first
    assert "2 posts read" in second  # those at the watermark once more
    kept = {each["_id"]: each for each in database["deals"].find()}
    assert set(kept) == {"x:post:1:deal:1", "x:post:3:deal:1", "x:post:4:deal:1"}
    assert [each["role"] for each in kept["x:post:1:deal:1"]["amounts"]] == ["price", "was_price"]
    deals = Deals(database)
    at_once, later = NOON + timedelta(days=1), datetime(2027, 1, 1, tzinfo=UTC)
    in_force = [{each["post"][-1] for each in deals.all(at, timedelta(days=2))} for at in (at_once, later)]
    assert in_force == [{"1", "3", "4"}, {"3"}]  # the first ended in September; the last names no end, and is over
    assert {each["post"][-1] for each in deals.all(later)} == {"3", "4"}


def test_a_post_taken_back_leaves_with_its_numbers_and_deals(store, database):
    keep(store, "c1", NOON, post("1", "Kettle £20 now", likes=3), post("2", "Mug £5 now", likes=4))
    deals = Deals(database)
    gone = deals.withdraw(["x:post:1", "x:post:999"])

    assert gone == 1
    assert [each["_id"] for each in database["posts"].find()] == ["x:post:2"]
    assert database["observations"].count_documents({"entity": "x:post:1"}) == 0
