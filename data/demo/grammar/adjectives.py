"""The adjectives, and which kinds of nouns (or which nouns by name) they describe."""

from __future__ import annotations

from .entries import Adjective, Noun
from .nouns import NOUNS

_COLORED = "clothes vehicle bag umbrella cup bottle box suitcase door lamp flower sofa chair"

ADJECTIVES = (
    Adjective("old", "alt", "adult thing readable furniture vehicle building pet", "", "older", "älter"),
    Adjective("young", "jung", "worker student man woman animal guest mine", "", "younger", "jünger"),
    Adjective("new", "neu", "thing book newspaper furniture vehicle building film song rule"),
    Adjective("small", "klein", "small pet bird thing furniture building room box", "", "smaller", "kleiner"),
    Adjective("big", "groß", "animal furniture building room box suitcase vehicle", "", "bigger", "größer"),
    Adjective(
        "beautiful",
        "schön",
        "drawn clothes outdoors visited told horse ring gift cup lamp kitchen hotel church concert",
        en_comparative="more beautiful",
        de_comparative="schöner",
    ),
    Adjective("expensive", "teuer", "ware", "teur", "more expensive", "teurer"),
    Adjective("cheap", "billig", "ware fruit", "", "cheaper", "billiger"),
    Adjective("friendly", "freundlich", "person pet", "", "friendlier", "freundlicher"),
    Adjective("tired", "müde", "person animal", "müd"),
    Adjective("sick", "krank", "person pet large"),
    Adjective("happy", "glücklich", "person", "", "happier", "glücklicher"),
    Adjective("famous", "berühmt", "doctor actress baker visited told book church bridge hotel", ""),
    Adjective("hungry", "hungrig", "person animal", "", "hungrier", "hungriger"),
    Adjective("red", "rot", f"{_COLORED} apple"),
    Adjective("blue", "blau", _COLORED),
    Adjective("green", "grün", f"{_COLORED} apple pear"),
    Adjective("black", "schwarz", f"{_COLORED} radio pet horse cow"),
    Adjective("white", "weiß", f"{_COLORED} plate pet horse cow house"),
    Adjective("heavy", "schwer", "box suitcase device table bed sofa bag", "", "heavier", "schwerer"),
    Adjective(
        "long", "lang", "book letter story poem message film song bridge dress coat event", "", "longer", "länger"
    ),
    Adjective("short", "kurz", "book letter story poem message film song asked event", "", "shorter", "kürzer"),
    Adjective(
        "interesting",
        "interessant",
        "readable film event asked visited answer",
        en_comparative="more interesting",
        de_comparative="interessanter",
    ),
    Adjective("boring", "langweilig", "readable told event", "", "more boring", "langweiliger"),
    Adjective("difficult", "schwierig", "exam asked poem", "", "more difficult", "schwieriger"),
    Adjective("important", "wichtig", "asked answer exam meeting letter message", "", "more important", "wichtiger"),
    Adjective("warm", "warm", "soup milk room clothes"),
    Adjective("cold", "kalt", "drink soup room lake"),
    Adjective("fresh", "frisch", "fruit baked milk water"),
    Adjective("empty", "leer", "box suitcase plate cup bottle bag room"),
    Adjective("dirty", "schmutzig", "clothes dish vehicle room window"),
    Adjective("broken", "kaputt", "device mended cup umbrella chair"),
    Adjective("strong", "stark", "horse hot man woman"),
    Adjective("quiet", "ruhig", "outdoors visited room library", "", "quieter", "ruhiger"),
    Adjective("modern", "modern", "building device room"),
)


def fits(adjective: Adjective, noun: Noun) -> bool:
    """Whether the adjective describes the noun without sounding odd."""
    return noun.is_a(adjective.of) or noun.en in adjective.of.split()


ADJECTIVES_OF = {noun: [adjective for adjective in ADJECTIVES if fits(adjective, noun)] for noun in NOUNS}
