"""The verbs with their frames, one a line, then those of single sentences, and the modals.

A line is: English base, past and participle, with a particle after "+" | German infinitive, with a dot
after a separable prefix, participle ("-" for none) and the changed stem of du and er | the frame, as kinds of
nouns: who (subject, else a person), acc, dat, to (a dative that English marks by "to"), or a preposition in
English, in German and its case | aspect and flags.
"""

from __future__ import annotations

from .entries import Modal, Verb

_TABLE = """
read read read | lesen gelesen lies | acc readable | habit
write wrote written | schreiben geschrieben | acc letter message told book | habit
translate translated translated | übersetzen übersetzt | acc readable song | action
understand understood understood | verstehen verstanden | acc asked answer readable | state
buy bought bought | kaufen gekauft | acc ware food | event
sell sold sold | verkaufen verkauft | acc ware food large house | event
look looked looked +for | suchen gesucht | acc thing book newspaper letter pet mistake | action
find found found | finden gefunden | acc thing book newspaper letter pet mistake | event
lose lost lost | verlieren verloren | acc key bag umbrella ring hat coat suitcase letter | event
see saw seen | sehen gesehen sieh | acc person animal vehicle film building | state
hear heard heard | hören gehört | acc song animal person radio concert | state
love loved loved | lieben geliebt | acc person pet drink song visited outdoors | state
need needed needed | brauchen gebraucht | acc thing vehicle furniture worker | state
know knew known | kennen - | acc person visited told book restaurant | state
visit visited visited | besuchen besucht | acc adult kin visited church school | habit
eat ate eaten | essen gegessen iss | acc food | habit
drink drank drunk | trinken getrunken | acc drink | habit
cook cooked cooked | kochen gekocht | acc soup egg potato | habit
bake baked baked | backen gebacken | acc baked | habit
wash washed washed | waschen gewaschen wäsch | acc clothes vehicle dog apple pear potato | habit
clean cleaned cleaned | putzen geputzt | acc room window vehicle lamp | habit
repair repaired repaired | reparieren repariert | acc mended device chair | action
draw drew drawn | zeichnen gezeichnet | acc drawn animal | action
carry carried carried | tragen getragen träg | acc box suitcase bag chair bottle lamp | action
forget forgot forgotten | vergessen vergessen vergiss | acc thing rule answer exam song | event
sing sang sung | singen gesungen | acc song | habit
correct corrected corrected | korrigieren korrigiert | acc mistake exam answer letter | action
open opened opened | auf.machen aufgemacht | acc opened bottle | habit
close closed closed | zu.machen zugemacht | acc opened umbrella | habit
turn turned turned +on | ein.schalten eingeschaltet | acc device | habit
turn turned turned +off | aus.schalten ausgeschaltet | acc device | habit
invite invited invited | ein.laden eingeladen läd | acc person | event
call called called | an.rufen angerufen | acc adult kin | habit
pick picked picked +up | ab.holen abgeholt | acc person gift suitcase | event
bring brought brought +along | mit.bringen mitgebracht | acc food drink book newspaper letter gift | habit
put put put +on | an.ziehen angezogen | acc clothes | action
help helped helped | helfen geholfen hilf | dat person | habit
thank thanked thanked | danken gedankt | dat person | event
answer answered answered | antworten geantwortet | dat person | habit
trust trusted trusted | vertrauen vertraut | dat adult kin | state
congratulate congratulated congratulated | gratulieren gratuliert | dat person | event
follow followed followed | folgen gefolgt | dat person animal | action sein
listen listened listened | zu.hören zugehört | to person | habit
give gave given | geben gegeben gib | dat person; acc thing book newspaper letter food | event
show showed shown | zeigen gezeigt | dat person; acc thing building kitchen garden readable vehicle | action
send sent sent | schicken geschickt | dat adult kin; acc post book picture | action
lend lent lent | leihen geliehen | dat adult kin; acc vehicle book umbrella coat | event
bring brought brought | bringen gebracht | dat person; acc dish drink soup cake thing | action
tell told told | erzählen erzählt | dat person; acc story | action
explain explained explained | erklären erklärt | to person; acc asked mistake | action
wait waited waited | warten gewartet | for+auf+acc person line letter message | habit
think thought thought | denken gedacht | of+an+acc kin mine exam question | habit
talk talked talked | sprechen gesprochen sprich | about+über+acc told book exam question meeting | habit
dream dreamed dreamed | träumen geträumt | of+von+dat outdoors vehicle visited house | habit
speak spoke spoken | reden geredet | with+mit+dat person | habit
play played played | spielen gespielt | with+mit+dat pet small | habit
sleep slept slept | schlafen geschlafen schläf | who person pet | habit
work worked worked | arbeiten gearbeitet | who adult | habit
laugh laughed laughed | lachen gelacht | | habit
dance danced danced | tanzen getanzt | | habit
study studied studied | lernen gelernt | | habit
get got gotten +up | auf.stehen aufgestanden | | habit sein
wake woke woken +up | auf.wachen aufgewacht | | habit sein
fall fell fallen +asleep | ein.schlafen eingeschlafen schläf | | habit sein
watch watched watched +television | fern.sehen ferngesehen sieh | | habit
arrive arrived arrived | an.kommen angekommen | who person line | event sein
go went gone | gehen gegangen | | habit sein goes
run ran run | laufen gelaufen läuf | who person pet | habit sein goes
travel traveled traveled | reisen gereist | | action sein goes
like liked liked | gefallen gefallen gefäll | acc place readable told clothes picture furniture | state experiencer
"""


def _parse(line: str) -> Verb:
    english, german, frame, flags = (part.strip() for part in line.split("|"))
    forms, _, particle = english.partition(" +")
    base, past, participle = forms.split()
    infinitive, german_participle, *stem = german.split()
    kinds = {key: of for key, _, of in (part.strip().partition(" ") for part in frame.split(";"))}
    about = [(*key.split("+"), of) for key, of in kinds.items() if "+" in key]
    return Verb(
        base,
        past,
        participle,
        infinitive,
        german_participle.removeprefix("-"),
        stem[0] if stem else "",
        particle=particle,
        subject=kinds.get("who", "person"),
        direct=kinds.get("acc", ""),
        indirect=kinds.get("dat", kinds.get("to", "")),
        to="to" if "to" in kinds else "",
        about=(about[0][0], about[0][1], about[0][2], about[0][3]) if about else None,
        goes="goes" in flags.split(),
        aux="sein" if "sein" in flags.split() else "haben",
        aspect=flags.split()[0],
        experiencer="experiencer" in flags.split(),
    )


VERBS = tuple(_parse(line) for line in _TABLE.strip().splitlines())
LIKE = next(verb for verb in VERBS if verb.experiencer)

BE = Verb("be", "was", "been", "sein", "gewesen", preterite="war", aux="sein", aspect="state")
HAVE = Verb(
    "have",
    "had",
    "had",
    "haben",
    "gehabt",
    preterite="hatte",
    direct="ware pet many mine question key",
    aspect="state",
)
LIVE = Verb("live", "lived", "lived", "wohnen", "gewohnt", aspect="state")
BELONG = Verb(
    "belong",
    "belonged",
    "belonged",
    "gehören",
    "",
    subject="ware pet",
    indirect="person",
    to="to",
    aspect="state",
)
COST = Verb("cost", "cost", "cost", "kosten", "gekostet", subject="ware", aspect="state")
LEAVE = Verb("leave", "left", "left", "ab.fahren", "abgefahren", "fähr", subject="line", aux="sein")
BEGIN = Verb("begin", "began", "begun", "an.fangen", "angefangen", "fäng", subject="event film")
LIE = Verb("be", "was", "been", "liegen", "gelegen", preterite="lag", aspect="state")
STAND = Verb("be", "was", "been", "stehen", "gestanden", preterite="stand", aspect="state")
LAY = Verb("put", "put", "put", "legen", "gelegt")
SET = Verb("put", "put", "put", "stellen", "gestellt")

BELIEVE = Verb("believe", "believed", "believed", "glauben", "geglaubt", aspect="state")
SAY = Verb("say", "said", "said", "sagen", "gesagt", aspect="state")
KNOW = Verb("know", "knew", "known", "wissen", "gewusst", preterite="wusste", aspect="state")
HOPE = Verb("hope", "hoped", "hoped", "hoffen", "gehofft", aspect="state")
ASK = Verb("ask", "asked", "asked", "fragen", "gefragt", aspect="state")
TRY = Verb("try", "tried", "tried", "versuchen", "versucht")
FORGET = Verb("forget", "forgot", "forgotten", "vergessen", "vergessen", "vergiss")
START = Verb("begin", "began", "begun", "an.fangen", "angefangen", "fäng")
PROMISE = Verb("promise", "promised", "promised", "versprechen", "versprochen", "versprich")

CAN = Modal("can", "can", ("kann", "kannst", "kann", "können", "können"))
MUST = Modal("must", "must", ("muss", "musst", "muss", "müssen", "müssen"))
SHOULD = Modal("should", "should", ("sollte", "solltest", "sollte", "sollten", "sollten"))
WANT = Modal("want to", "wants to", ("will", "willst", "will", "wollen", "wollen"), do="do", base="want to")
WILL = Modal("will", "will", ("werde", "wirst", "wird", "werden", "werden"))
COULD = Modal("could", "could", ("konnte", "konntest", "konnte", "konnten", "konnten"), past=True)
HAD_TO = Modal("had to", "had to", ("musste", "musstest", "musste", "mussten", "mussten"), "did", "have to", past=True)
WANTED = Modal(
    "wanted to",
    "wanted to",
    ("wollte", "wolltest", "wollte", "wollten", "wollten"),
    "did",
    "want to",
    past=True,
)
MODALS = (CAN, MUST, SHOULD, WANT, COULD, HAD_TO, WANTED)
