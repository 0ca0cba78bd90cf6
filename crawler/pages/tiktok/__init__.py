"""TikTok's pages, from all eras of their embedded state."""

from crawler.pages.tiktok.profile import ProfilePage

__all__ = ["ProfilePage"]
