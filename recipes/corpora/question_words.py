"""Invent the people, towns, ships and books of the question-answering corpus, so that training and validation share none"""

import itertools
import random
from dataclasses import dataclass

_SYLLABLES = {
    "person": (
        ("Brzes Wil Krem Szum Doln Zabr Mlyn Wrab Gost Olsz", "yński ecki owicz iński oszek ański"),
        ("Dvor Hrad Kubel Žel Šum Povr Čern Ryb Lesn", "áček ický oušek enka anský íček"),
        ("Ask Bren Dyr Elm Fjell Gras Hald Kvam Nyg Støl", "evik eland erud ebø estad ehaug"),
        ("Abr Bald Corv Den Ferr Gall Marz Orl Pell Sab", "ucci orelli anzi estra olengo ivaldi"),
        ("Amb Carr Dor Ech Gal Len Mir Ost Urr Zub", "ánez arri ondo ébar eguía ilar"),
        ("Bea Cour Dela Fon Gris Lau Mont Per Rou Vau", "belle mière net gnac tour zelle"),
        ("Alt Brück Dorn Eber Fels Grau Hoch Küh Lauf Oster", "brandt hauer mayr stetter wald feld"),
        ("Ash Barn Col Dray Fen Hather Lock Pen Sel Thorn", "combe wick grave stone more leigh"),
        ("Bay Çel Demir Er Gök Kor Öz Soy Tun Yal", "başar doğan taşkın göz alır mazlı"),
        ("Ab Adey Ban Chi Ege Nwa Ola Sek Tun Uzo", "bola yemi dele wuike zuru keji"),
        ("Bán Csap Fek Győr Hor Kál Mez Pál Szép Tör", "osi ödi lósi ényi akházy ölgyi"),
    ),
}

_SYLLABLES |= {
    "town": (
        ("Brz Dob Gor Kaz Lesz Mal Pol Rad Sier Wol", "owiec omyśl ańsk ewnik ęgowo anów"),
        ("Ald Bex Cran Dun Ells Far Hol Kes Mar Wick", "bourne minster hythe ford-on-Sea wold thorpe"),
        ("Bra Elb Fis Hel Jor Lang Nor Sol Tor Vin", "kvåg søra ndalen fjorden skär höga"),
        ("Alc Bel Cor Est Guad Mon Per Sal Tor Val", "anera áñez ibor omayor eruela udillo"),
        ("Beau Char Font Grand Lam Mar Pont Ris Sain Vill", "evoire elles erac orbier éjols igny"),
        ("Eich Gries Hart Klein Lind Neu Ober Rot Stein Unter", "wörth kirchen lohe münde haslach felden"),
        ("Bakh Dar Far Gul Khor Mer Nish Shah Tash Zar", "abad oshan iran gerd estan oqa"),
        ("Ama Fuji Hoshi Kawa Mizu Naga Oku Shira Taka Yama", "mori sawa zuka hama gura tani"),
    ),
}

_SYLLABLES |= {
    "region": (
        (
            "Ard Bor Cald Esk Gal Kor Liv Mor Ost Ruv Tarn Vest Zel Ul Pern",
            "avia ennia undia eskia omar irya alund evoy",
        ),
    ),
    "river": (
        (
            "Al Bid Dra Es Ga Isn Lo Mur Ner Or Sev Tav Ul Ves Yar Zor",
            "ova ena asoa istra aune ünn uelle itza arra onne",
        ),
    ),
}

_SYLLABLES |= {
    "company": (
        (
            "Alt Bry Corv Dex Ferr Gal Hel Jun Kest Lumm Norv Orb Pell Quir Stell Tren Verd Wex",
            "ano idor era iston omax ulin enta aphil ost igue",
        ),
    ),
    "ship": (
        (
            "Al Be Cal Dor Ev Hal Is Lor Mel Nar Or Per Sel Thal Vir Zeph",
            "cyra anthe idora ione eria onessa yssa inda athea umena",
        ),
    ),
    "school": (
        (
            "Abel Bress Cott Damm Eri Friss Gunn Herr Ivers Lamb Mall Ravn Strick Voss",
            "mond holt ingham enius ardt olin",
        ),
    ),
    "hall": (
        (
            "Arm Bass Clav Dov Er Garr Hest Kirn Lass Mond Pryd Rost Stav Torv",
            "ella anti imer oway ensky üll angar ézan",
        ),
    ),
    "club": (
        (
            "Bar Cast Dray Ells Frod Glos Hind Ket Lang Mos Pick Ravens Skel Thir Wal",
            "borough caster ingham worth ley sea",
        ),
    ),
    "festival": (("Am Bel Ci Dul Es Fal Im Kal Mir Olo Sar Tir Um Vel", "aranta ebrik umba olys andra itke ósze ura"),),
}

_SYLLABLES |= {
    "work": (
        (
            "Amber Ashen Broken Copper Crooked Distant Glass Hollow Iron Ivory Paper Painted Quiet Salt Scarlet Silent Silver Sleeping Winter Wooden",
            " Almanac| Bridge| Cartographer| Causeway| Garden| Harvest| Heron| Ladder| Lantern| Mirror| Orchard| Parade| Staircase| Tide| Violin| Widow",
        ),
    ),
    "beast": (
        (
            "Bran Corr Dell Ebb Farr Groll Hess Katt Lorr Marr Nell Pell Sorr Tull Wenn",
            "ade ick imo uvian ano este ulan",
        ),
    ),
    "island": (
        (
            "Ber Cor Ely Fal Gan Hir Jor Las Mon Nav Ror Ska Tor Vil",
            "gøya mundsey inga rona lasay terfjord undra ónico",
        ),
    ),
    "device": (
        (
            "Auto Chrono Cyclo Dyna Electro Helio Hydro Micro Omni Photo Pneumo Sono Tele Thermo Vario Vibro",
            "trope stat lith vane phore gyr dex lume",
        ),
    ),
}

_SIZES = {"person": (300, 110), "town": (220, 90), "work": (170, 60), "device": (60, 24)}
_TWO_IN_THREE = 0.7  # of the stems of other kinds are for training

_SKIP = set(
    (
        "Ashcombe Thornwick Penleigh Lockwood Selwick Barnstone Elmstad Colstone Colgrave Colmore Fenwick Selmore Montbelle "
        "Hochwald Grauwald Dornwald Dornbrandt Abrucci Ferrucci Marzolengo Dunford Holford Marford Kestford Wickford Holminster "
        "Barley Castley Langley Walley Barworth Ketley Mosley Pickworth Picksea Langsea Barsea Mossea Ketborough Walworth Castborough "
        "Barborough Langcaster Kettcaster Ravensworth Thirworth Takayama Nagasawa Nagahama Mizusawa Kawamori Yamasawa Yamamori "
        "Oberkirchen Neukirchen Unterfelden Unterkirchen Rotkirchen Steinkirchen Steinhaslach Oberhaslach Unterhaslach Neufelden "
        "Torfjorden Norfjorden Langfjorden Valeruela Salibor Thermostat Hydrostat Heliostat Telestat Chronostat Photostat Heliotrope "
        "Thermovane Electrodex Photophore Electrolume Microlith Hydrophore Electrophore Autogyr Heliogyr Iston Vestavia Korenna "
        "Galera Alena Verdera Verdano Gallorelli Orlorelli Perlorelli Perevoire Seventa Vesena Alitza Drava Dorova Alova Telelume "
        "Moravia Grieskirchen Bidarra Askeland Bandele Elmeland Zaristan Gulistan Kalumba Perinda Melinda Dorinda Belinda Melione Hermione Seline Nellick Sorrulan"
    ).split()
)

_FIRST_NAMES = {
    "she": (
        "Adéla Agata Aino Alzira Amparo Anneke Antje Ayşe Bernadette Birgitta Blanka Branka Candela Carlotta Chiara Constance "
        "Dagny Damaris Dorota Edwina Eleni Elvira Emília Erzsébet Eulalia Fernanda Filippa Frøydis Genoveva Gerlinde Gudrun "
        "Halina Hedda Henrike Hilda Ingeborg Irma Isolde Ivette Jadwiga Josefa Judit Kamila Katalin Kristýna Lavinia Lenka "
        "Liselotte Lucinda Lydia Małgorzata Margit Marisol Mathilde Milica Nadia Ngozi Nerea Noémie Oluchi Ottilie Paulina "
        "Perpetua Philippa Ragnhild Roswitha Rozálie Sabine Saskia Sidonie Signe Solveig Sunniva Tereza Thérèse Tove Ulla "
        "Valentina Veronika Vigdis Wilhelmina Winifred Yetunde Yvonne Zdenka Zofia Zuzana Ágota"
    ).split(),
    "he": (
        "Aleksander Alfonso Ambrose Anatole Andrzej Aron Arvid Augustin Balázs Bartolomeo Basil Bogdan Bohumil Cengiz Cornelius "
        "Cosimo Cuthbert Dagfinn Damián Dezső Dominik Eberhard Edmund Einar Emre Erwin Étienne Fabrizio Ferenc Fergus Friedhelm "
        "Gaetano Geoffrey Gilles Gottfried Günther Gustaf Halvard Hartmut Henryk Hjalmar Horace Humphrey Ignác Ivar Jaromír "
        "Jerzy Joaquín Julius Kasimir Kjell Konrad Lajos Laurence Leandro Leopold Levent Lorenzo Lothar Ludvík Maarten Marcel "
        "Maurizio Miklós Mortimer Nnamdi Norbert Octave Oğuz Olumide Oskar Oswald Pelle Percival Radovan Raimund Reinhold "
        "Rémy Roderick Rupert Sándor Sebald Severin Sigurd Stanisław Stellan Théodore Torvald Tycho Ulrich Václav Waldemar "
        "Wenzel Wojciech Xabier Zbigniew Zoltán"
    ).split(),
}

_SCRIPTS = {
    "Cyrillic": (
        "she Oksana Оксана; she Lesia Леся; she Myroslava Мирослава; he Bohdan Богдан; he Taras Тарас; he Yevhen Євген",
        "Borod Бород; Skor Скор; Verem Верем; Horb Горб; Lytv Литв; Zahr Загр",
        "enko енко; ychuk ичук; yshyn ишин",
    ),
    "Greek": (
        "he Stavros Σταύρος; he Fotis Φώτης; he Manolis Μανώλης; he Thanos Θάνος; he Lefteris Λευτέρης; he Iason Ιάσων",
        "Kal Καλ; Mavr Μαυρ; Vard Βαρδ; Xen Ξεν; Lamb Λαμπ; Dim Δημ",
        "akis άκης; idis ίδης; atos άτος",
    ),
    "Arabic": (
        "she Layla ليلى; she Nawal نوال; she Rim ريم; he Karim كريم; he Samir سمير; he Nabil نبيل",
        "al-Harq الحرق; al-Mazr المزر; al-Bahr البحر; al-Rum الرم; al-Shar الشر; al-Tam التم",
        "ani اني; awi اوي; uni وني",
    ),
    "Georgian": (
        "she Ketevan ქეთევან; she Tamta თამთა; she Lela ლელა; he Vakhtang ვახტანგ; he Zurab ზურაბ; he Otar ოთარ",
        "Bar ბარ; Gog გოგ; Lom ლომ; Mel მელ; Nar ნარ; Tsik ციკ",
        "adze აძე; ashvili აშვილი; elia ელია",
    ),
    "Chinese": (
        "she Ruowei 若薇; she Yaqin 雅琴; she Lanxin 兰心; he Zhiyuan 志远; he Wenbo 文博; he Jiarui 家瑞",
        "Liang 梁; Shen 沈; Tong 童; Qiao 乔; Meng 孟; Pang 庞; Ruan 阮; Gong 龚; Xiang 向; Lian 连; Ouyang 欧阳; Shangguan 上官",
        "",
    ),
    "Japanese": (
        "she Haruka 遥; she Shizue 静江; she Michiru 満; he Kenji 健二; he Soichi 宗一; he Takumi 匠",
        "Mizu 水; Kuro 黒; Tachi 立; Hira 平; Oto 音; Natsu 夏",
        "kawa 川; saki 崎; numa 沼",
    ),
    "Korean": (
        "she Seoyeon 서연; she Minji 민지; she Hayun 하윤; he Dohyun 도현; he Jiho 지호; he Taemin 태민",
        "Nam 남; Pyo 표; Maeng 맹; Seonu 선우; Hwangbo 황보; Dokgo 독고; Bang 방; Guk 국; Tak 탁; Eom 엄",
        "",
    ),
}
_FAMILY_FIRST = ("Chinese", "Japanese", "Korean")


def _stems(kind: str, taken: set[str], rng: random.Random) -> list[str]:
    "All untaken combinations of syllables of a kind, shuffled; they are added to `taken`."
    stems = []
    for heads, tails in _SYLLABLES[kind]:
        tails = tails.split("|") if "|" in tails else tails.split()
        glued = (a + b for a, b in itertools.product(heads.split(), tails) if a[-1].lower() != b[0])
        stems += [name for name in glued if name not in taken and name not in _SKIP]
    stems = list(dict.fromkeys(stems))
    rng.shuffle(stems)
    taken.update(stems)
    return stems


def _halves(items: list, rng: random.Random) -> tuple[list, list]:
    "The items shuffled, in two parts: for training and for validation."
    items = rng.sample(items, len(items))
    cut = round(len(items) * _TWO_IN_THREE)
    return items[:cut], items[cut:]


def _pairs(text: str) -> list[list[str]]:
    "`a b; c d` -> `[[a, b], [c, d]]`."
    return [part.split() for part in text.split(";") if part.strip()]


@dataclass(frozen=True)
class Person:
    "A person of the corpus: names in Latin letters, `pronoun` (she or he), and where it has one, script and native spelling."

    first: str
    last: str
    pronoun: str
    script: str = ""
    native: str = ""

    def __str__(self) -> str:
        return f"{self.first} {self.last}"


def _native_people(script: str, rng: random.Random) -> tuple[list[Person], list[Person]]:
    "Everybody whose name is written in `script`: first and family names of the two parts differ."
    firsts, heads, tails = map(_pairs, _SCRIPTS[script])
    families = [(a + b, c + d) for (a, c), (b, d) in itertools.product(heads, tails)] if tails else heads
    parts = []
    for some, others in zip(_halves(firsts, rng), _halves(families, rng), strict=True):
        people = []
        for (pronoun, first, own), (last, kin) in itertools.product(some, others):
            native = kin + own if script in ("Chinese", "Korean") else f"{kin} {own}"
            native = native if script in _FAMILY_FIRST else f"{own} {kin}"
            people.append(Person(first, last, pronoun, script, native))
        parts.append(people)
    return parts[0], parts[1]


SPLITS = ("train", "validation")


def _build_names() -> dict[str, dict[str, list]]:
    "split -> kind -> names. A stem belongs to one kind and one split."
    rng, names = random.Random(1906), {split: {} for split in SPLITS}
    taken = {name for group in _FIRST_NAMES.values() for name in group}
    for kind in _SYLLABLES:
        stems = _stems(kind, taken, rng)
        sizes = _SIZES.get(kind) or (round(len(stems) * _TWO_IN_THREE), len(stems))
        names["train"][kind], names["validation"][kind] = stems[: sizes[0]], stems[sizes[0] :][: sizes[1]]
    for pronoun, group in _FIRST_NAMES.items():
        names["train"][pronoun], names["validation"][pronoun] = _halves(group, rng)
    native = [_native_people(script, rng) for script in _SCRIPTS]
    for place, split in enumerate(SPLITS):
        names[split]["native"] = [person for parts in native for person in parts[place]]
    return names


NAMES = _build_names()


def entities_of(split: str) -> list[str]:
    """Every invented name of `split` ("train" or "validation"), sorted: stems, titles, first, family and native names."""
    plain = {name for kind, names in NAMES[split].items() if kind != "native" for name in names}
    native = {part for who in NAMES[split]["native"] for part in (who.first, who.last, who.native)}
    return sorted(plain | native)


def _items(**lists: str) -> dict[str, list[str]]:
    "kind -> items, from texts with semicolons between the items."
    return {kind: [item.strip() for item in text.split(";")] for kind, text in lists.items()}


THINGS: dict[str, list[str]] = _items(
    job="painter; composer; novelist; sculptor; botanist; architect; poet; photographer; astronomer; chemist; "
    "surgeon; historian; violinist; engraver; engineer; geologist; playwright; linguist; mathematician; "
    "puppeteer",
    art="painter; composer; novelist; sculptor; poet; photographer; engraver; playwright; film director; "
    "choreographer; illustrator; songwriter",
    trade="miller; baker; tailor; blacksmith; fisherman; schoolteacher; innkeeper; carpenter; cobbler; notary; "
    "gardener; clockmaker; weaver; saddler; lighthouse keeper; pharmacist; bookbinder; stonemason; beekeeper; "
    "postmaster",
    subject="medicine; law; anatomy; philosophy; mathematics; theology; botany; music theory; Latin; chemistry; "
    "drawing; architecture; astronomy; history; physics; geography; economics; engineering",
    language="Portuguese; Finnish; Hungarian; Welsh; Swedish; Catalan; Estonian; Romanian; Icelandic; Basque; Danish; "
    "Czech",
)

THINGS |= _items(
    goods="clocks; bicycles; pianos; oil lamps; typewriters; sewing machines; umbrellas; spectacles; ploughs; "
    "locks; bells; violins; matches; cameras; kettles; scales; radios; skis; gloves; tractors; paper; "
    "porcelain; glassware; ropes; toys; soap; fountain pens; stoves; wheelbarrows; buttons",
    industry="glassmaking; shipbuilding; weaving; brewing; salt mining; papermaking; tanning; lacemaking; fishing; "
    "pottery; bell founding; silk spinning; gunsmithing; brickmaking",
    crop="hops; flax; apples; saffron; wine; cherries; tobacco; sugar beet; lavender; rye; mustard; chestnuts; "
    "hemp; olives; plums",
    cargo="coffee; timber; cotton; copper ore; tea; salt; wool; sugar; rubber; grain; coal; cement; rice; tobacco; "
    "cocoa; frozen meat; linseed oil; guano; marble; jute",
    sum="crowns; florins; francs; marks; pounds; dollars; guilders; thalers; rubles; lire",
    grievance="unpaid overtime; low wages; unsafe machines; the dismissal of a foreman; longer shifts; cold workshops; "
    "a cut in pensions; new fines for lateness; a ban on unions; the price of company housing; dusty air; "
    "rotten canteen food",
)

THINGS |= _items(
    cause="an earthquake; a landslide; a lightning strike; a gas explosion; a collapsed roof; a broken dam; "
    "heavy snow; a burst boiler; a fallen chimney; an arson attack; a violent storm; a forest fire; "
    "a rockfall; a tidal wave",
    trouble="thick fog; a damaged rudder; a shortage of coal; drifting ice; an outbreak of scurvy; a mutiny; "
    "a cracked mast; a lack of fresh water; contrary winds; a customs dispute; frozen rigging; a sick crew; "
    "torn sails; a broken propeller",
    block="a landslide; a rockfall; an avalanche; drifting ice; a glacier; a mudslide; fallen trees; "
    "a collapsed bridge; a lava flow; a row of sunken barges",
    injury="a broken wrist; a torn ligament; a knee injury; a concussion; a bad back; a fractured rib; "
    "a swollen ankle; pneumonia; a dislocated shoulder; an eye infection; a pulled muscle; appendicitis",
)

THINGS |= _items(
    material="granite; sandstone; red brick; limestone; oak; slate; cast iron; concrete; basalt; steel; yellow brick; "
    "white marble; larch; flint; glazed tiles",
    stone="granite; sandstone; limestone; basalt; concrete; gneiss; rubble; red brick; quarried slate",
    use="a granary; a hospital; a prison; a warehouse; a barracks; a cinema; a customs house; "
    "a school for nurses; a printing works; a dance hall; a courthouse; an orphanage; a telephone exchange; "
    "a military store; a fish market",
    find="a bronze helmet; a Roman mosaic; a hoard of silver coins; the bones of a mammoth; a wooden canoe; "
    "a burial chamber; a clay tablet; a gold brooch; an iron sword; a stone altar; a sundial; a painted vase; "
    "an ivory comb; a glass bowl",
)

THINGS |= _items(
    animal="thrush; newt; bat; frog; shrew; lizard; wagtail; dormouse; crab; warbler; hare; salamander; trout; "
    "finch; squirrel",
    marking="yellow stripes; a white throat; blue spots; a forked tail; a black collar; red eyes; a grey crest; "
    "orange feet; a spotted belly; a golden back; long whiskers; a purple forehead; silver cheeks; "
    "a ringed tail",
    food="freshwater snails; beetles; acorns; moss; crayfish; berries; earthworms; fish eggs; pine seeds; "
    "dragonflies; spiders; wild figs; grass roots; frogs; honey; sea urchins; fallen leaves; mushrooms",
    enemy="foxes; owls; pike; wild cats; hawks; snakes; martens; crows; herons; otters; badgers; ravens; weasels; "
    "eagles",
    habitat="reed beds; dry pine woods; limestone caves; alpine meadows; flooded quarries; salt marshes; peat bogs; "
    "beech forests; mountain streams; abandoned orchards; coastal dunes; rocky gorges; hay barns; hedgerows",
    threat="the draining of marshes; road traffic; illegal hunting; a fungal disease; the felling of old trees; "
    "polluted streams; imported rats; warmer winters; insect poison; the spread of vineyards; "
    "noise from quarries; night lighting",
)

THINGS |= _items(
    sport="football; handball; ice hockey; rugby; basketball; water polo; volleyball; field hockey",
    rite="a torchlight procession; a boat race; a masked ball; a bell-ringing contest; a puppet show; "
    "a kite-flying day; a choir competition; a horse fair; a lantern parade; a stone-lifting contest; "
    "a sheep auction; a barrel race; a storytelling night",
    dish="smoked eel; plum dumplings; chestnut soup; honey cakes; pickled herring; saffron buns; roast goose; "
    "barley bread; fried carp; almond pastries; goat cheese; mushroom pies; pumpkin stew; poppy-seed rolls",
    origin="the end of a plague; a good wine harvest; the return of a stolen bell; the opening of a canal; "
    "a victory over pirates; the rescue of a drowned child; the founding of a monastery; "
    "the arrival of the railway; the lifting of a siege; a royal visit",
)

THINGS |= _items(
    device_use="measuring the depth of rivers; sorting seeds; copying handwriting; drying tobacco; polishing lenses; "
    "grinding paint; counting coins; recording heartbeats; sharpening needles; warning of gas; "
    "folding letters; weighing pearls; cooling milk; tuning pianos; signalling in fog; cutting glass",
    part="a glass cylinder; a spring of blue steel; a rotating drum; a leather bellows; a ring of magnets; "
    "a brass pendulum; a mercury switch; a pair of mirrors; a perforated disc; a copper coil; "
    "a float of cork; a rubber membrane",
    flaw="overheating; a deafening noise; rust; frequent leaks; its great weight; false readings; "
    "the smell of oil; broken springs; dust in the bearings; a slow start; weak batteries; sparks",
)

THINGS |= _items(
    theme="a blind mapmaker; two rival families; a stolen violin; a village under water; a retired smuggler; "
    "a lost inheritance; a lighthouse without a light; a travelling circus; an unhappy marriage; "
    "a forged will; a winter in prison; a runaway apprentice",
    dispute="fishing rights; the toll on grain; the use of a pass; grazing land; a customs bridge; the salt trade; "
    "timber floating; the control of a lighthouse; the ransom of prisoners; the course of a canal; "
    "mining rights; a disputed inheritance",
    goal="the source of the river; a passage to the northern sea; a lost city; the highest peak of the range; "
    "the magnetic pole; a route through the desert; the wreck of a treasure ship; an unknown lake; "
    "a rare orchid; an eclipse of the sun",
    gear="sledges; camels; canoes; mules; balloons; reindeer; bullock carts; snowshoes; rafts; ponies",
)
