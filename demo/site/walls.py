"""Pages that stand where data should be: captcha, script challenge, frames without data, questions about cookies."""

from __future__ import annotations

import json

from demo.site.app import Answer, Asked, View, page, route
from demo.world.shop import HOST

CONSENT = ("consent.tiktok.com", "consent.google.com", "consent.youtube.com", f"consent.{HOST}")
_LOADER = "https://sf16.ttwstatic.com/obj"
WALLS = {
    "captcha": (
        '<html><head><meta charset="utf-8"><title>Security Check</title>'
        f'<script src="{_LOADER}/captcha/index.js"></script></head><body><div id="captcha_container"></div>'
        '<script type="application/json" id="captcha-config">'
        + json.dumps({"verify_data": {"code": "10000", "type": "verify", "subtype": "slide", "region": "ttp"}})
        + "</script></body></html>"
    ),
    "challenge": (
        '<!doctype html><html><head><title>Please wait...</title></head><body><p id="cs">Please wait...</p>'
        '<p id="wci" class="bG9jYWw="></p><p id="rci"></p><p id="rs"></p>'
        f'<script src="{_LOADER}/waforiginals/slardar.js"></script></body></html>'
    ),
    "shell": (
        '<!DOCTYPE html><html lang="en"><head><meta charSet="UTF-8"/><title data-rh="true"></title>'
        f'<link rel="preconnect" href="{_LOADER}"/></head><body><div id="app" data-downgrade="1"></div>'
        f'<script src="{_LOADER}/tiktok/webapp/main.js"></script></body></html>'
    ),
    "static_shell": (
        '<!doctype html><html><head><meta charset="UTF-8"/><title>TikTok</title><script id="gfdatav1">'
        '{"env":"prod","canary":0}</script></head><body><div id="root"></div>'
        f'<script src="{_LOADER}/webapp-static-site/index.js"></script></body></html>'
    ),
    "consent": (
        '<!doctype html><html lang="pt"><head><title>Before you continue</title></head><body>'
        '<div id="cookie-banner" role="dialog"><h1>Cookies</h1><p>We use cookies. Choose before you go on.</p>'
        '<form action="/consent/save" method="post"><input type="hidden" name="continue" value="/">'
        '<button name="choice" value="reject">Reject all</button>'
        '<button name="choice" value="accept">Accept all</button></form></div></body></html>'
    ),
}


@route(CONSENT, r"/.*", only_by_name=True)
def consent(view: View, asked: Asked) -> Answer:
    return page(WALLS["consent"])
