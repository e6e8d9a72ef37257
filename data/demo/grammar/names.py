"""Names of people and towns. Surnames and villages are compounds, so new ones keep turning up."""

from __future__ import annotations

WOMEN = [
    "Anna",
    "Clara",
    "Eva",
    "Frieda",
    "Greta",
    "Hanna",
    "Ida",
    "Johanna",
    "Lena",
    "Marie",
    "Paula",
    "Sophie",
]
MEN = [
    "Anton",
    "Bruno",
    "Emil",
    "Felix",
    "Georg",
    "Jakob",
    "Karl",
    "Ludwig",
    "Moritz",
    "Oskar",
    "Paul",
    "Theo",
]

_HEADS = [
    "Stein",
    "Berg",
    "Wald",
    "Linden",
    "Rosen",
    "Eichen",
    "Sommer",
    "Gold",
    "Birken",
    "Hohen",
    "Adler",
    "Falken",
    "Silber",
    "Wiesen",
]
_SURNAME_TAILS = ["feld", "bach", "berg", "mann", "hof", "thal", "meier", "hauer"]
_VILLAGE_TAILS = ["dorf", "hausen", "burg", "kirchen"]


def _compounds(tails: list[str]) -> list[tuple[str, str]]:
    return [(head, tail) for head in _HEADS for tail in tails if head.lower() != tail]


SURNAMES = _compounds(_SURNAME_TAILS)
VILLAGES = _compounds(_VILLAGE_TAILS)
CITIES = (
    ("Berlin", "Berlin"),
    ("Hamburg", "Hamburg"),
    ("Bremen", "Bremen"),
    ("Leipzig", "Leipzig"),
    ("Munich", "München"),
    ("Cologne", "Köln"),
    ("Vienna", "Wien"),
    ("Zurich", "Zürich"),
    ("Geneva", "Genf"),
    ("Prague", "Prag"),
    ("Rome", "Rom"),
    ("Lisbon", "Lissabon"),
)
