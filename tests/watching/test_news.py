"""News of the kernel: nobody who waits for more misses any, whoever else waits, and whatever he does meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from netless_lab.watching.live import News


async def test_what_one_has_heard_is_not_taken_from_another() -> None:
    """One is busy with the last news when more comes, and another hears it first: the first hears it when he comes back."""
    news = News()
    seen = news.count
    other = asyncio.create_task(news.beyond(news.count))
    await asyncio.sleep(0)
    news.tell()
    assert await asyncio.wait_for(other, 10)
    assert await news.beyond(seen, 10)


async def test_all_who_wait_go_on() -> None:
    """Five wait; one piece of news wakes all of them."""
    news = News()
    waiting = [asyncio.create_task(news.beyond(news.count)) for _ in range(5)]
    await asyncio.sleep(0)
    news.tell()
    assert await asyncio.wait_for(asyncio.gather(*waiting), 10) == [True] * 5


async def test_old_news_is_no_news() -> None:
    """Who has seen what there was waits for more, until his time is up."""
    news = News()
    news.tell()
    assert not await news.beyond(news.count, 0.01)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(news.beyond(news.count), 0.01)
