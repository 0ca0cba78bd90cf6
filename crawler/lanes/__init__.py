"""How a page is reached: http, browser, api, replay; and what is never kept of it (redact)."""
