"""The nouns, one a line: English | German | kinds [@ being there > going there, for places]."""

from __future__ import annotations

from functools import cache

from .entries import Noun

_TABLE = """
man men | der Mann Männer | person adult male
woman women | die Frau Frauen | person adult female
child children | das Kind Kinder | person small
boy boys | der Junge Jungen | person male weak small
girl girls | das Mädchen Mädchen | person female small
teacher teachers | der Lehrer Lehrer | person adult male worker
doctor doctors | der Arzt Ärzte | person adult male worker
nurse nurses | die Krankenschwester Krankenschwestern | person adult female worker
farmer farmers | der Bauer Bauern | person adult male weak worker
baker bakers | der Bäcker Bäcker | person adult male worker
waitress waitresses | die Kellnerin Kellnerinnen | person adult female worker
actress actresses | die Schauspielerin Schauspielerinnen | person adult female worker
policeman policemen | der Polizist Polizisten | person adult male weak worker
student students | der Student Studenten | person adult male weak
guest guests | der Gast Gäste | person adult male
neighbor neighbors | der Nachbar Nachbarn | person adult male weak mine
friend friends | der Freund Freunde | person adult male mine
colleague colleagues | der Kollege Kollegen | person adult male weak mine
mother mothers | die Mutter Mütter | person female kin
father fathers | der Vater Väter | person male kin
grandmother grandmothers | die Großmutter Großmütter | person female kin
brother brothers | der Bruder Brüder | person male kin many
sister sisters | die Schwester Schwestern | person female kin many
uncle uncles | der Onkel Onkel | person male kin many
aunt aunts | die Tante Tanten | person female kin many
daughter daughters | die Tochter Töchter | person female kin many
dog dogs | der Hund Hunde | animal pet
cat cats | die Katze Katzen | animal pet
horse horses | das Pferd Pferde | animal large
bird birds | der Vogel Vögel | animal
cow cows | die Kuh Kühe | animal large
book books | das Buch Bücher | readable ware lie
letter letters | der Brief Briefe | readable lie post
newspaper newspapers | die Zeitung Zeitungen | readable ware lie
story stories | die Geschichte Geschichten | readable told
poem poems | das Gedicht Gedichte | readable told
message messages | die Nachricht Nachrichten | readable post
key keys | der Schlüssel Schlüssel | thing lie
bag bags | die Tasche Taschen | thing ware stand
umbrella umbrellas | der Regenschirm Regenschirme | thing ware lie
cup cups | die Tasse Tassen | thing ware stand dish
plate plates | der Teller Teller | thing ware stand dish
bottle bottles | die Flasche Flaschen | thing ware stand
picture pictures | das Bild Bilder | thing ware drawn
gift gifts | das Geschenk Geschenke | thing ware lie post
coat coats | der Mantel Mäntel | thing ware clothes lie
hat hats | der Hut Hüte | thing ware clothes lie
shirt shirts | das Hemd Hemden | thing ware clothes lie
dress dresses | das Kleid Kleider | thing ware clothes lie
knife knives | das Messer Messer | thing ware lie dish
flower flowers | die Blume Blumen | thing ware drawn
ring rings | der Ring Ringe | thing ware lie
lamp lamps | die Lampe Lampen | thing ware device stand
radio radios | das Radio Radios | thing ware device stand
computer computers | der Computer Computer | thing ware device stand
clock clocks | die Uhr Uhren | thing ware mended
car cars | das Auto Autos | vehicle ware mended
bicycle bicycles | das Fahrrad Fahrräder | vehicle ware mended
boat boats | das Boot Boote | vehicle ware mended drawn
bus buses | der Bus Busse | line
train trains | der Zug Züge | line
table tables | der Tisch Tische | furniture ware
chair chairs | der Stuhl Stühle | furniture ware
bed beds | das Bett Betten | furniture ware
sofa sofas | das Sofa Sofas | furniture ware
door doors | die Tür Türen | opened mended
window windows | das Fenster Fenster | opened mended
box boxes | die Kiste Kisten | opened thing stand
suitcase suitcases | der Koffer Koffer | opened thing ware stand
apple apples | der Apfel Äpfel | food fruit
pear pears | die Birne Birnen | food fruit
egg eggs | das Ei Eier | food fruit
potato potatoes | die Kartoffel Kartoffeln | food fruit
cake cakes | der Kuchen Kuchen | food baked
soup soups | die Suppe Suppen | food cooked
bread breads | das Brot Brote | food baked mass
cheese cheeses | der Käse Käse | food mass
milk milks | die Milch Milch | drink mass
coffee coffees | der Kaffee Kaffees | drink mass hot
tea teas | der Tee Tees | drink mass hot
water waters | das Wasser Wasser | drink mass
house houses | das Haus Häuser | place building drawn @ in:in > into:in
school schools | die Schule Schulen | place building @ in:in > to:in
church churches | die Kirche Kirchen | place building drawn @ in:in > to:in
museum museums | das Museum Museen | place building visited @ in:in > to:in
library libraries | die Bibliothek Bibliotheken | place building @ in:in > to:in
hotel hotels | das Hotel Hotels | place building @ in:in > to:zu
restaurant restaurants | das Restaurant Restaurants | place building @ in:in > to:in
hospital hospitals | das Krankenhaus Krankenhäuser | place building @ in:in > to:in
kitchen kitchens | die Küche Küchen | place room @ in:in > into:in
office offices | das Büro Büros | place room @ in:in > to:in
garden gardens | der Garten Gärten | place outdoors @ in:in > into:in
park parks | der Park Parks | place outdoors @ in:in > to:in
forest forests | der Wald Wälder | place outdoors @ in:in > into:in
village villages | das Dorf Dörfer | place visited @ in:in > to:in
market markets | der Markt Märkte | place @ at:auf > to:auf
station stations | der Bahnhof Bahnhöfe | place building @ at:an > to:zu
bridge bridges | die Brücke Brücken | place drawn @ on:auf > to:zu
lake lakes | der See Seen | place outdoors @ at:an > to:an
question questions | die Frage Fragen | abstract asked
answer answers | die Antwort Antworten | abstract
rule rules | die Regel Regeln | abstract asked
song songs | das Lied Lieder | song told
film films | der Film Filme | film told
mistake mistakes | der Fehler Fehler | abstract
lesson lessons | die Lektion Lektionen | asked
concert concerts | das Konzert Konzerte | event
meeting meetings | die Besprechung Besprechungen | event
exam exams | die Prüfung Prüfungen | event
"""

_GENDERS = {"der": "m", "die": "f", "das": "n"}


def _prepositions(text: str) -> tuple[tuple[str, str], tuple[str, str]]:
    at, to = (tuple(part.strip().split(":")) for part in text.split(">"))
    return (at[0], at[1]), (to[0], to[1])


def _parse(line: str) -> Noun:
    entry, _, where = line.partition("@")
    english, german, kinds = (part.split() for part in entry.split("|"))
    at, to = _prepositions(where) if where else (("", ""), ("", ""))
    return Noun(english[0], english[1], german[1], german[2], _GENDERS[german[0]], frozenset(kinds), at, to)


NOUNS = tuple(_parse(line) for line in _TABLE.strip().splitlines())
NOUN = {noun.en: noun for noun in NOUNS}


@cache
def of_kind(kinds: str) -> list[Noun]:
    """The nouns that have one of the space-separated kinds, or that are named by them ("ring")."""
    return [noun for noun in NOUNS if noun.is_a(kinds) or noun.en in kinds.split()]
