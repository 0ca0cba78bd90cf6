"""The token that the grids ask for: the page's own JavaScript computes it, this is the same in Python.

It keeps out nobody who reads it; it makes a crawler need the page's script, as the real one does.
"""

from __future__ import annotations

import hashlib

from demo.site.app import Asked, View

SCRIPT = """
(function () {
  var state = JSON.parse(document.getElementById('__UNIVERSAL_DATA_FOR_REHYDRATION__').textContent);
  var nonce = state['__DEFAULT_SCOPE__']['webapp.app-context'].nonce;
  var box = document.querySelector('[data-grid]');
  if (!box) return;
  var cursor = '0', busy = false, done = false;

  function token(text) {
    var h = 0x811c9dc5;
    for (var i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193) >>> 0;
    return h.toString(16).padStart(8, '0');
  }
  function make(parent, name, attributes, text) {
    var made = parent.appendChild(document.createElement(name));
    for (var key in attributes) made.setAttribute(key, attributes[key]);
    if (text !== undefined) made.textContent = text;
    return made;
  }
  function label(n) {
    var units = [[1e9, 'B'], [1e6, 'M'], [1e3, 'K']];
    for (var i = 0; i < units.length; i++)
      if (n >= Math.max(units[i][0], 1e4)) return (n / units[i][0]).toFixed(1).replace('.0', '') + units[i][1];
    return String(n);
  }
  function card(item) {
    var one = make(box, 'div', {'data-e2e': box.dataset.card, style: 'height:240px'});
    var kind = item.imagePost ? 'photo' : 'video';
    var href = 'https://www.tiktok.com/@' + item.author.uniqueId + '/' + kind + '/' + item.id;
    var link = make(one, 'a', {href: href});
    make(link, 'img', {alt: item.desc + ' created by ' + item.author.nickname + ' with ' + item.music.title});
    if (item.isPinnedItem) make(one, 'div', {'data-e2e': 'video-card-badge'}, 'Pinned');
    make(one, 'strong', {'data-e2e': 'video-views'}, label(Number(item.stats.playCount)));
  }
  function fail() {
    done = true;
    var main = make(box, 'div', {'class': 'error'});
    make(main, 'p', {}, 'Something went wrong');
    make(main, 'p', {}, 'Please come back later.');
    make(main, 'button', {type: 'button'}, 'Refresh');
  }
  function show(body) {
    var items = body.itemList || body.item_list || (body.data || []).map(function (hit) { return hit.item; });
    items.forEach(card);
    cursor = String(body.cursor);
    done = !(body.hasMore || body.has_more);
    busy = false;
    near();
  }
  function more() {
    busy = true;
    var query = box.dataset.query + '&cursor=' + encodeURIComponent(cursor) + '&verifyFp=' + encodeURIComponent(nonce);
    var signed = query + '&X-Bogus=' + token(box.dataset.grid + '?' + query + '|' + nonce);
    fetch(box.dataset.grid + '?' + signed).then(function (r) { return r.json(); }).then(show).catch(fail);
  }
  function near() {
    if (!busy && !done && box.getBoundingClientRect().bottom < window.innerHeight + 400) more();
  }
  window.addEventListener('scroll', near);
  near();
})();
"""


def nonce(view: View) -> str:
    """What the page gives its script to sign with: the simulated minute, and a proof that the site said so."""
    minute = int(view.at.timestamp()) // 60
    return f"{minute}-{_proof(view, minute)}"


def _proof(view: View, minute: int) -> str:
    return hashlib.blake2b(f"{view.world.seed}/nonce/{minute}".encode(), digest_size=8).hexdigest()


def token(text: str) -> str:
    """FNV-1a of 32 bits over ASCII text, as eight hex digits."""
    state = 0x811C9DC5
    for character in text:
        state = ((state ^ ord(character)) * 0x01000193) & 0xFFFFFFFF
    return f"{state:08x}"


def signed(view: View, path: str, query: str) -> str:
    """A query with nonce and token, as the page's script would send it."""
    query = f"{query}&verifyFp={nonce(view)}"
    return f"{query}&X-Bogus={token(f'{path}?{query}|{nonce(view)}')}"


def is_signed(view: View, asked: Asked) -> bool:
    query, _, given = asked.query.rpartition("&X-Bogus=")
    used = asked.get("verifyFp")
    minute, _, proof = used.partition("-")
    if not minute.isdecimal() or len(minute) > 12 or proof != _proof(view, int(minute)):
        return False
    return given == token(f"{asked.path}?{query}|{used}")
