"""Word lists of questions in English, German, French, Spanish, Italian, Portuguese and Dutch: what leans on what."""

import re
from functools import lru_cache
from typing import Final

from chatsphere.adapters.extractive.terms import stem, word_set

OPENING: Final = re.compile(
    r"[\s¿¡]*(?:(?:and|but|or|so|then|also|ok(?:ay)?|well|thanks|thank you|great|hmm|und|aber|oder|gut|danke|et|"
    r"mais|ou|"
    r"merci|y|e|pero|o|gracias|ma|en|maar|mas)\b[,.!\s]*){0,3}"
    r"(?:(?:(?:what|how) about|what of|what if|why not|same for|the same for|what else|anything else|was ist mit|"
    r"wie (?:ist|sieht) es (?:aus )?(?:mit|bei)|wie steht es (?:mit|um)|qu['’]en est-il (?:de|du|des)|et pour|"
    r"qué (?:tal|hay de|pasa con)|e per|en hoe zit het met|hoe zit het met|wat dacht je van|e quanto a)\b)?",
    re.IGNORECASE,
)
"""What a question begins with that goes on from an earlier one; may match nothing."""

FILLERS: Final = word_set(
    "ok okay well thanks thank great hi hello yes sure "
    "tell explain describe show list name summarize summarise elaborate continue more detail details detailed exactly "
    "precisely come mean please info information something anything else thing things reason example examples compare "
    "comparison difference differences differ two both one ones vs versus better best worse best prefer recommend "
    "erkläre erklär erzähl genauer mehr details beispiel vergleiche vergleich unterschied "
    "unterschiede beiden beide besser "
    "explique raconte détails détail davantage exemple compare comparer différence différences deux mieux meilleur "
    "meilleure explica cuenta detalles ejemplo compara diferencia diferencias dos mejor spiega "
    "dettagli esempio confronta "
    "differenza due migliore meglio explique detalhes exemplo dois duas melhor uitleg verschil twee beter vergelijk"
)
"""Words of a question that name nothing to search for."""

_ASPECTS: Final = {
    "en": "cost price fee charge pay billed expensive cheap cheaper free much many long longer short far heavy heavier "
    "light big bigger small large larger high higher tall wide deep old older new newer fast faster quick quickly slow "
    "loud louder quiet quieter hot cold good bad safe weigh weight size length height width depth speed range age date "
    "year time day hours opening open close closed closing duration last lasts start begin end warranty guarantee "
    "return refund discount delivery ship shipping capacity storage colour color material available availability allow "
    "allowed include included support limit dose dosage use used useful work need require required requirement cause "
    "effect side symptom treatment treat treated risk benefit advantage disadvantage history population area founded "
    "invented invent discover discovered born birth die died death wrote write written live lived happen happened type "
    "kind number amount percentage percent rate function purpose rule rules eligibility deadline apply application "
    "renew cancel clean cleaning install installed installation maintain maintenance repair feature contact address "
    "phone email location located parking ticket tickets admission entry tour tours guided called "
    "make made take taking "
    "keep store stored go get find see eat drink buy sell sold order grow water watering prune pruning protect become "
    "win won receive change affect prevent contain consist form often soon differ answer accept serve offer move run "
    "minimum maximum average total current main official possible necessary important right way ways steps step "
    "people person someone adult adults today now first second third",
    "de": "kostet kosten preis preise teuer billig günstig laut leise oft lange lang schnell hoch groß "
    "klein schwer leicht "
    "alt neu weit breit tief warm kalt gut schlecht sicher wiegt gewicht größe länge höhe dauer dauert garantie rabatt "
    "lieferung öffnungszeiten geöffnet offen geschlossen gültig gilt funktioniert braucht benötigt enthält wirkung "
    "nebenwirkungen dosis dosierung anwendung geboren gestorben erfunden entdeckt heißt bedeutet "
    "liegt wartung gewartet "
    "gereinigt reinigung bekomme bekommt beantragt beantragen kündigen frist gebühr gebühren jahr tag uhr geht macht",
    "fr": "coûte coûtent coûter prix tarif cher chère gratuit long longtemps longue temps durée dure "
    "ouvert ouverte ouvre "
    "ferme fermé horaires poids pèse taille hauteur vitesse garantie remise livraison valable "
    "fonctionne contient effet "
    "effets dose né née mort morte inventé découvert signifie situe conserve conserver "
    "conserve-t-elle cuit cuire cuisson "
    "préparer jours jour heures heure minutes an ans année âge obtenir demander annuler renouveler délai frais",
    "es": "cuesta cuestan costar precio tarifa caro cara gratis largo tiempo duración dura abierto abierta abre cierra "
    "horario peso pesa tamaño altura velocidad garantía descuento envío válido vale funciona "
    "contiene efecto efectos dosis "
    "nació murió inventó descubrió significa días día horas hora minutos año años edad obtener pedir "
    "solicitar solicita "
    "cancelar renovar plazo prorrogar trabajar",
    "it": "costa costano prezzo tariffa caro gratis dura durata aperto apre chiude orari peso pesa dimensioni garanzia "
    "sconto consegna valido funziona contiene effetti dose nato nata morto inventato scoperto "
    "significa giorni giorno ore",
    "pt": "custa custam preço tarifa caro grátis dura duração aberto abre fecha horário peso pesa tamanho garantia "
    "desconto entrega válido funciona contém efeitos dose nasceu morreu inventou descobriu significa dias dia horas",
    "nl": "kost kosten prijs duur goedkoop gratis duurt lang open opent sluit openingstijden gewicht weegt grootte "
    "garantie korting levering geldig werkt bevat effecten dosis geboren gestorven betekent dagen dag uur",
}
"""What is asked of a thing, rather than a thing that is asked about."""

PRONOUNS: Final = {
    "en": word_set("it they them he him she its their theirs his her hers"),
    "de": word_set(
        "er sie es ihn ihm ihnen ihr sein seine seinen seiner seinem ihre ihren ihrem ihrer davon dafür damit dazu"
    )
    | word_set("daran darin darauf dabei dort dieser diese dieses diesen diesem dessen deren"),
    "fr": word_set("il elle ils elles lui leur leurs son sa ses y en ça cela ceci celui-ci celle-ci"),
    "es": word_set("él ella ello ellos ellas le les su sus eso esto ese esa allí"),
    "it": word_set("lui lei loro esso essa suo sua suoi sue ne ci questo quello"),
    "pt": word_set("ele ela eles elas seu sua seus suas dele dela isso isto lá"),
    "nl": word_set("hij zij ze hem haar het hun ervan ervoor ermee daar dit dat"),
}

CLAUSE_WORDS: Final = word_set(
    "is are was were am do does did can could will would should may might must has have had isn't aren't doesn't don't "
    "didn't can't ist sind war waren hat haben wird werden kann können muss müssen darf dürfen soll sollte kostet gibt "
    "est sont était ont peut peuvent faut doit doivent y-a-t-il es son fue está están hay puede pueden tiene tienen "
    "debe è sono può possono hanno é são está pode podem tem is zijn was heeft hebben kan kunnen mag moet"
)
"""Auxiliary verbs and the like: what has one is a clause and no mere fragment."""

PREPOSITIONS: Final = word_set(
    "among amongst within despite according besides together around since between across against through "
    "towards except "
    "in on at for with without during after before by from to under over per via within when while if as im am bei für "
    "mit ohne während nach vor ab unter über zum zur wenn en pour avec sans pendant après avant chez "
    "dans si le con sin "
    "para durante después antes si los las al per con senza durante dopo prima com sem para durante "
    "depois antes voor met "
    "zonder tijdens na bij"
)
BEFORE_A_TOPIC: Final = word_set("of on about for with from von vom des über für du de del della di do da van over")

ASKS_WHO_OR_WHICH: Final = re.compile(
    r"[\s¿¡]*(?:and\s+)?(?:who|whom|which|what (?!is|are|was|were|do|does|did|can|could|will|would|"
    r"should|happen|if|about)\w+|"
    r"wer|wen|welche[rsnm]?|qui|quel(?:le)?s?|quién(?:es)?|qué|cuál(?:es)?|chi|quale|quali|quem|qual|quais|welke?)\b",
    re.IGNORECASE,
)
"""A question whose answer names something new: what follows it asks about that."""

COMPARES: Final = re.compile(
    r"\b(?:the two|both|compar\w+|differ\w*|versus|vs|which (?:one|of|is|are|has|have|costs?|lasts?|was|were|does|do)|"
    r"between (?:them|these|those)|each of them|either of them|one or the other|"
    r"beiden?|vergleich\w*|unterschied\w*|welche[rs]? (?:von|der|ist|hat|kostet|davon|beiden)|"
    r"les deux|des deux|différen\w+|lequel|laquelle|l[ao]s dos|amb[oa]s|diferencia\w*|cuál (?:de|es)|"
    r"tra i due|le due|entrambi|differenz\w*|quale (?:dei|delle|è)|os dois|as duas|ambos|diferença\w*|"
    r"qual (?:dos|das|é)|"
    r"allebei|verschil\w*|welke van|welke is)\b",
    re.IGNORECASE,
)

_ORDINALS: Final = {
    0: "first 1st former erste ersten erster erstes ersterer premier première primero primera primo prima primeiro "
    "eerste",
    1: "second 2nd zweite zweiten zweiter zweites deuxième segundo segunda secondo seconda tweede",
    2: "third 3rd dritte dritten dritter drittes troisième tercero tercera tercer terzo terza terceiro derde",
    3: "fourth 4th vierte vierten vierter viertes quatrième cuarto cuarta quarto quarta vierde",
    4: "fifth 5th fünfte fünften cinquième quinto quinta vijfde",
    -1: "last latter letzte letzten letzter letztere letzterer dernier dernière último última ultimo ultima laatste",
}
ORDINALS: Final = {word: place for place, listed in _ORDINALS.items() for word in listed.split()}


@lru_cache(maxsize=16)
def aspects(language: str) -> frozenset[str]:
    """Return the stems of the words that say what is asked of a thing."""
    return frozenset(stem(word, language) for word in _ASPECTS[language].split())


def is_aspect(word: str, language: str) -> bool:
    """Return whether the word says what is asked of a thing, such as `price`, rather than which thing it is."""
    return stem(word.casefold(), language) in aspects(language) or word.casefold() in FILLERS


BOTH: Final = re.compile(
    r"\b(?:(?:of|between) (?:them|these|those|the two|the two of them)|both of (?:them|these)|(?:the|"
    r"these|those) two|both|"
    r"(?:der|den|die|von) beiden|des deux|les deux|entre (?:les deux|l[ao]s dos)|de l[ao]s dos|l[ao]s dos|amb[oa]s|"
    r"dei due|delle due|tra i due|i due|le due|entrambi|dos dois|das duas|os dois|as duas|van de twee|"
    r"van beide|allebei)\b",
    re.IGNORECASE,
)
"""What stands for two things that were spoken of."""

_ORDINAL_WORDS: Final = "|".join(sorted(ORDINALS, key=len, reverse=True))
THE_ORDINAL: Final = re.compile(
    rf"\b(?:(?:the|that|der|die|das|den|dem|le|la|el|il|o|a|de|"
    rf"het)\s+)?(?:{_ORDINAL_WORDS})\b(?:\s+(?:ones?|option|choice))?",
    re.IGNORECASE,
)

POSSESSIVES: Final = word_set(
    "its their theirs his hers her sein seine seinen seiner ihr ihre ihren ihrer son sa ses leur leurs su sus suo sua "
    "seu"
)
GENITIVES: Final = word_set("of de du del von van di do da")
