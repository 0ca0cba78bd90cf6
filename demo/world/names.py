"""Words from which the world makes its names. Nothing here is anybody."""

from __future__ import annotations

TOPICS = (
    "Maré Alta", "#FestivalDoFarol", "Ilha das Baleias", "Sardinha Day", "#OndaVerde", "Navio Perdido", "Lua Azul",
    "Porto Novo x Barra", "Tempestade Rita", "#SalvemOsCorais", "Canção do Mar", "Regata 2026", "Polvo Gigante",
    "Cais Antigo", "#PescaZero", "Vento Sul", "Carla Coral", "Areia Branca", "Neblina", "Recife Vivo",
    "maré alta", "Café & Sal", "🌊🐙", "#مد_البحر", "満潮", "Ο Φάρος", "R$ 9,90", '"Tide" <b>',
)  # fmt: skip
"""Written by hand: capitals that differ, other scripts, signs that break naive readers."""

FIRST = (
    "Baía", "Gaivota", "Farol", "Âncora", "Harbour", "Lantern", "Kelp", "Brine", "Tidal", "Anchor", "Ostra", "Duna",
)  # fmt: skip
SECOND = ("Livre", "Norte", "Dourada", "Night", "Cup", "Session", "em Festa", "Week", "Clássica", "Parade")

TAGS = (
    "tidetok", "coralcheck", "saltyhair", "wavesocks", "harbourlife", "kelpsnack", "boatbuild", "marealta",
    "festivaldofarol", "reeftank", "sandart", "fishmarket", "lighthousekeeper", "knotoftheday", "coldplunge",
    "OceanFacts", "ondaverde", "tidemademebuyit", "dockwork", "pearlhunt",
)  # fmt: skip

HANDLES = (
    "tide.atlas", "coral.cooks", "mega_marina", "quiet.cove", "gone_overboard", "old.pier", "empty.shell",
    "sinking_ship1", "small.fry", "reef.photos", "odd_one", "kelp_lab", "deckhand22", "salt.and.oar", "bay_reads",
    "plankton.pt", "nautical_knits", "gullwatch", "wharf.tools", "drift_wood_art",
)  # fmt: skip
BIOS = (
    "Sea levels, daily 🌊", "cooking what the tide brings", "contact in the link", "boats & knots", "fotos do recife",
    "we mend nets.\nnew video every week",
)  # fmt: skip
CATEGORIES = ("Education", "Food & Beverage", "Media & Entertainment", "Shopping & Retail")

VERBS = ("Watch", "Trying", "How I made", "Nobody told me about", "Day 12 of", "Olha isso:", "Testando", "POV:")
THINGS = (
    "this wave", "the oldest lantern", "a coral lamp", "wool socks at sea", "the harbour at 5 am", "um nó impossível",
    "kelp crisps", "our new dock", "a storm in a jar", "o farol à noite", "shell soup", "paint that glows",
)  # fmt: skip
ENDS = ("and it worked", "😅", "(part 2)", "with €5 only", "por R$ 49,90", "…", "link in bio", "gone wrong", "🌊🌊")

SOUNDS = (
    "Harbour Bells", "original sound", "Salt Waltz", "som original", "Low Tide (slowed)", "Foghorn Loop", "Nine Knots",
    "Canção da Doca", "Seagull Remix", "Brass & Brine", "Night Ferry", "Bilge Pump Beat",
)  # fmt: skip
ARTISTS = ("The Moorings", "Dona Maré", "DJ Bollard", "Lull", "Trio Âncora", "Ferry & Sons")

REMARKS = (
    "where is this?", "amei 💙", "the socks at 0:12 pls", "first", "😂😂😂", "que lugar lindo", "ship to Lisbon?",
    "I bought two", "too expensive", "parte 3 quando?", "not again…", "respect",
)  # fmt: skip

PRODUCTS = (
    ("Wave Socks", "Socks", 1800, ("S", "M", "L")), ("Tide Mug", "Kitchen", 2450, ("Default Title",)),
    ("Coral Lamp", "Home", 8900, ("Warm", "Cold")), ("Kelp Crisps", "Food", 399, ("Salt", "Chili", "Box of 12")),
    ("Harbour Sweater", "Clothes", 12900, ("S", "M", "L", "XL")), ("Rope Belt", "Clothes", 3450, ("85", "95", "105")),
    ("Lantern No. 4", "Home", 15400, ("Brass", "Black")), ("Gift Card", "Gift Cards", 2500, ("25.00", "50.00")),
    ("Salt Soap", "Care", 790, ("Default Title",)), ("Oar Shelf", "Home", 22900, ("Oak", "Pine")),
    ("Gull Print", "Art", 4200, ("A4", "A3", "A2")), ("Tidal Clock", "Home", 9900, ("Default Title",)),
    ("Deck Brush", "Care", 1290, ("Default Title",)), ("Storm Jar", "Art", 3300, ("Small", "Large")),
    ("Reef Puzzle", "Games", 2790, ("500", "1000")), ("Sardine Tin", "Food", 560, ("Oil", "Lemon", "Chili")),
    ("Foam Bath", "Care", 1690, ("Default Title",)), ("Pilot Cap", "Clothes", 3890, ("Navy", "Sand")),
    ("Net Bag", "Kitchen", 1150, ("Default Title",)), ("Pearl Studs", "Jewellery", 5900, ("Silver", "Gold")),
    ("Cork Mat", "Home", 4550, ("Default Title",)), ("Compass Ring", "Jewellery", 7800, ("6", "7", "8")),
    ("Seal Plush", "Games", 2390, ("Grey", "White")), ("Ferry Poster", "Art", 1990, ("Default Title",)),
)  # fmt: skip
"""Title, type, price in cents, variants."""

PRAISE = (
    ("Lovely", "Wears well, even wet."), ("Bom demais", "Chegou rápido e é macio."), ("Fine", "Smaller than thought."),
    ("No", "The colour is not as shown."), ("Gift", "My brother asked for a second pair."), ("OK", "Does what it says"),
)  # fmt: skip

TWEETS = (
    "Everybody talks about {topic} today", "{topic} de novo, gente", "I do not get {topic} 😅",
    "Promo: Wave Socks por R$ 49,90 com frete grátis {topic}", "{topic}!!!", "Só se fala em {topic}",
    "25% off at the harbour shop, code TIDE25 {topic}", "RT se você viu {topic} ontem",
)  # fmt: skip
