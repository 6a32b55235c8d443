"""Write `mini/paraphrases`, a small offline stand-in for MRPC, from a grammar whose every rule you can read"""

import itertools
import math
import random
import re
from functools import lru_cache

from course_lib.profiles import CourseError

_SYLLABLES = {
    "person": (
        "Bel Dor Kar Ter Vold Hol Brand Lind Ost Quil Fen Gav Hask Iv Jan Kov Lor Mend Nor Pel "
        "Rask Sand Tov Ulv Ver Wes Yar Zab Åk Ør Cast Drag Fal Grim Hul Kest Mal Nyst Pav Rov",
        "ström berg ovic escu wick anen etti ado ière ley sson mann enko ardi oglu ova inho ez aru "
        "ington eau ski quist amba onda ejo ülke",
    ),
    "company": (
        "Zel Orv Quan Bry Nex Vant Ar Cal Ful Gly Hel Ix Jor Kry Lum Myr Ny Opt Pry Rho Syl Tri Ux Vey Wyn Xan Yv Zor",
        "ora antis eon ivex umo atron idyne exa olis aphen onyx ucor",
    ),
    "city": (
        "Kel Bran Mor Tal Vess Har Ash Cor Dun Eld Fal Gren Hav Isk Jar Lan Mar Nar Ost Pel Rav San Thal Ul Wend Zar",
        "mora dalen stead vik burgh onia ello minsk ford porto haven mouth quay ães ünde tova",
    ),
    "country": (
        "Vast Ber Cald Dram Esk Gor Ilv Kor Lum Mald Nav Orl Pald Ruv Seld Tarn Uld Vorn Zan Ard",
        "ovia estan uria avia ombia eria",
    ),
    "team": (
        "Ald Bax Crav Den Ebb Fox Gil Hart Ing Kirk Lud Mel Nast Oak Pem Rud Stan Thorn Wal Yel",
        "ingate ersby holme combe worth sthorpe mere",
    ),
    "institute": (
        "Ab Ben Cres Dal Eck Fre Gud Hem Ir Kas Led Mab Nid Olm Per Ros",
        "hardt elius indra opold umont ensky",
    ),
    "product": (
        "Avi Bolo Ceri Dexi Evo Fyra Giga Halo Joli Kami Luma Nimo Octa Pixo Ryva Sola",
        "pad buzz line mira tone dex",
    ),
    "drug": ("Vel Tam Zol Par Mir Lev Dap Cef Bro Ami Ner Ros Sul Fen", "otrib axine umab idone ophen astat"),
    "river": ("Isel Vara Tor Neth Orm Lys Avon Dril Esk Gral", "ena ava itz oire undra"),
}
_SIZES = {
    "person": (340, 110),
    "company": (120, 45),
    "city": (130, 45),
    "country": (60, 22),
    "team": (70, 26),
    "institute": (46, 18),
    "product": (46, 18),
    "drug": (46, 18),
    "river": (24, 10),
}

_FIRST_NAMES = (
    "Ada Adrián Agnès Aisha Alastair Alma Amadou Amélie Anders Anika Anselm Arjun Astrid Aurelio Beatriz Benedikt "
    "Birgit Björn Boris Bronwyn Camila Caspar Cécile Chidi Clemens Dagmar Dariusz Delphine Diego Dmitri Edith Eero "
    "Efua Elif Emeka Enrico Esther Fatima Felipe Fiona Florian François Freya Gaspard Gemma Gerda Giulia Goran Greta "
    "Gustavo Håkon Hana Hannah Heike Hiroshi Ibrahim Ignacio Ilse Imani Inés Ingrid Isaac Ismael Ivana Jarek Jasmin "
    "Jelena João Jonas Jürgen Kaito Karin Kavita Kofi Lars Leila Leonor Lidia Ludmila Łukasz Magda Malik Mariana "
    "Matteo Mehmet Mirjam Naomi Nikolai Noor Nuria Olga Osman Paloma Pascal Petra Priya Rafael Renée Rosa Ruben Samira "
    "Sanne Selma Sergei Silvia Sven Tadeusz Tariq Tatiana Thandi Tomás Ulrike Vera Viktor Wanda Xavier Yusuf Zoë"
).split()

_STORMS = (
    "Agatha Brutus Cyrilla Dunja Egbert Fabiola Gontran Hedwig Ulrica Jolanta Kunibert Lavinia Nestor Odette Quirin Rasmus Sibylle Tancred Ursula Wilma"
).split()
_BUSINESS = (
    "Systems Foods Energy Motors Airlines Bank Telecom Pharma Steel Logistics Media Robotics Insurance Mining Textiles Retail"
).split()
_CLUBS = "Rovers United Wanderers Athletic Falcons Comets Harriers Albion Dynamos Panthers".split()

# Combinations that are well-known names, or that nobody could pronounce.
_SKIP = set(
    (
        "Jansson Lindberg Lindley Lindquist Sandquist Sandberg Ostberg Norberg Wesley Haskski Hasksson Raskski Rasksson "
        "Morello Sanford Harford Ashford Narvik Walworth Maldavia Amidone Optora Iveau Melmere"
    ).split()
)


def _stems(kind: str, taken: set[str], rng: random.Random) -> list[str]:
    "All untaken combinations of syllables of a kind, shuffled; they are added to `taken`."
    heads, tails = (part.split() for part in _SYLLABLES[kind])
    stems = [h + t for h, t in itertools.product(heads, tails) if h[-1].lower() != t[0] and h + t not in taken]
    stems = [stem for stem in dict.fromkeys(stems) if stem not in _SKIP]
    rng.shuffle(stems)
    stems = stems[: sum(_SIZES[kind])]
    taken.update(stems)
    return stems


def _finish(kind: str, stem: str, rng: random.Random) -> str:
    "The full name around a stem: `Zelora` -> `Zelora Foods` where `kind` is company."
    if kind == "company":
        return f"{stem} {rng.choice(_BUSINESS)}"
    if kind == "team":
        return f"{stem} {rng.choice(_CLUBS)}"
    if kind == "institute":
        return rng.choice(["University of {}", "{} Institute", "{} Medical School"]).format(stem)
    if kind == "product":
        return f"{stem} {rng.randint(2, 9)}"
    return stem


def _build_names() -> dict[str, dict[str, list[str]]]:
    "The invented names of both splits. A stem belongs to one kind and one split."
    rng, taken, names = random.Random(1729), set(_FIRST_NAMES) | set(_STORMS), {"train": {}, "validation": {}}
    for kind in _SYLLABLES:
        stems = _stems(kind, taken, rng)
        full, cut = [_finish(kind, stem, rng) for stem in stems], _SIZES[kind][0]
        names["train"][kind], names["validation"][kind] = full[:cut], full[cut:]
    for kind, words in (("first_name", _FIRST_NAMES), ("storm", _STORMS)):
        words = rng.sample(words, len(words))
        cut = round(len(words) * 0.72)
        names["train"][kind], names["validation"][kind] = words[:cut], words[cut:]
    return names


NAMES = _build_names()

_ORDINARY = set(_BUSINESS) | set(_CLUBS) | {"University", "of", "Institute", "Medical", "School"}


def entities_of(split: str) -> list[str]:
    """Every invented name of `split` ("train" or "validation"), sorted: the full names and their distinctive words."""
    full = {name for names in NAMES[split].values() for name in names}
    words = {w for name in full for w in name.split() if w not in _ORDINARY and not w.isdigit()}
    return sorted(full | words)


_THINGS = {
    "quarter": "first; second; third; fourth",
    "month": "January; February; March; April; May; June; July; August; September; October; November; December",
    "day": "Monday; Tuesday; Wednesday; Thursday; Friday; Saturday; Sunday",
    "score": "1-0; 2-0; 2-1; 3-0; 3-1; 3-2; 4-0; 4-1; 4-2; 4-3; 5-1; 5-2; 6-3",
    "reason": "the publication of its annual report; reports of a merger; the departure of its finance director; "
    "a surprise court ruling; news of a reorganisation; a broker's note; the loss of a patent; a change of auditor",
    "goods": "tyres; batteries; refrigerators; microchips/computer chips; tractors; bicycles; furniture; ceramics; "
    "turbines; sportswear; chocolate; paint; medical instruments; washing machines; solar panels; violins",
    "crop": "wheat; rice; coffee; cotton; sugar; barley; cocoa; tobacco; maize/corn; rye; tea; flax; vanilla; saffron",
    "commodity": "crude oil/oil; natural gas/gas; copper; gold; aluminium; nickel; silver; timber; rubber; zinc",
    "project": "a nuclear power station/a nuclear plant; a desalination plant; a container terminal; an underground railway/a metro line; "
    "a suspension bridge; a hydroelectric dam; a weather satellite; a fleet of patrol boats; an offshore wind farm; a national archive",
    "offence": "price fixing; misleading advertising; late accounts; polluting a river; breaching privacy rules/violating privacy rules; "
    "unpaid overtime; unsafe toys; hiding losses/concealing losses; illegal logging",
    "bill": "pension reform; gun control; the budget/the annual budget; land ownership; press freedom; immigration; "
    "organ donation; water rights; campaign finance; compulsory military service/conscription; same-day voting",
    "portfolio": "finance; defence; health; education; transport; justice; agriculture; culture; labour; energy",
    "treaty": "fishing; extradition; trade; nuclear safety; customs; air travel/aviation; tourism; border; water-sharing",
    "cause": "a new airport/a planned airport; the coal mine; the retirement age; a stadium; school uniforms; a toll road; animal testing; "
    "the new abortion law; rent controls; fracking; the monarchy; nuclear power/atomic power",
    "taxed": "petrol; cigarettes; alcohol; diesel cars; inheritances; dividends; soft drinks/fizzy drinks; plastic packaging; luxury yachts; electricity; air tickets",
    "banned": "plastic bags; online gambling/internet gambling; smoking in restaurants; private drones; fireworks; foie gras; leaded petrol; electric scooters; "
    "tinted windscreens; shark fishing; cash payments above a limit; night flights",
    "crime": "fraud; bribery; arson; burglary; perjury; smuggling; money laundering; tax evasion; forgery; blackmail; kidnapping; "
    "manslaughter; drug trafficking/drug dealing; identity theft; espionage/spying; cattle theft",
    "loot": "paintings; diamonds; rare stamps; gold coins; silver cups; antique clocks; manuscripts; watches; laptops; icons",
    "grievance": "breach of contract; patent infringement; libel/defamation; negligence; copyright infringement; age discrimination; unfair competition; nuisance",
    "injury": "a broken ankle; a torn hamstring; a shoulder injury; a knee operation/knee surgery; concussion; a back problem; a virus; a groin strain",
    "race": "100 metres; marathon; 400 metres hurdles; high jump; javelin; pole vault; 1,500 metres; decathlon; long jump; shot put; steeplechase; triathlon",
    "round": "final; semifinals/semi-finals; quarterfinals/quarter-finals; third round; second round; last 16",
    "disease": "malaria; measles; cholera; influenza/flu; tuberculosis; dengue fever/dengue; meningitis; hepatitis; whooping cough/pertussis; polio; rabies; typhoid",
    "condition": "gout; diabetes; heart disease/heart failure; dementia; asthma; depression; arthritis; kidney failure; migraine; osteoporosis; breast cancer; lung cancer; insomnia",
    "food": "walnuts; red meat; yoghurt/yogurt; green tea; oily fish; white bread; broccoli; dark chocolate; eggs; garlic; beans; olive oil; sweetened cereal; blueberries",
    "ward": "maternity; emergency; burns; cardiac; psychiatric; dialysis; children's/paediatric; intensive-care; stroke; orthopaedic",
    "species": "frog; beetle; orchid; bat; lizard; deep-sea squid; moth; monkey; tree fern; owl; spider; freshwater crab; catfish; salamander",
    "planet": "Mars; Venus; Jupiter; Saturn; Mercury; Neptune; the Moon; an asteroid; a comet",
    "gadget": "smartphone; tablet computer/tablet; electric car; games console; smart watch; camera; electric bicycle; robot vacuum cleaner; e-reader; headset; printer; drone",
    "stolen": "credit card numbers; home addresses; passwords; passport scans; medical records; telephone numbers/phone numbers; tax numbers; salary details",
    "service": "electronic mail/e-mail; mobile banking; video streaming; cloud storage; ticketing; online payment; navigation; photo-sharing; messaging",
    "art": "landscape; self-portrait; still life; watercolour; bronze sculpture; tapestry; charcoal drawing; ivory carving; altarpiece; marble bust; woodcut",
    "festival_prize": "best director; best screenplay; best documentary; best actor; best short film; best editing; best costume design; best soundtrack/best score; best animation",
    "genre": "debut novel/first novel; poetry collection/volume of poems; biography; crime novel/detective story; cookbook; travel memoir; children's book; history of slavery; play; collection of essays",
    "exhibit": "Roman glass; Inuit masks; early photographs; Persian carpets; medieval armour; dinosaur fossils; wartime posters; Viking ships; Japanese prints; steam engines; Aztec pottery",
    "music": "jazz; folk; heavy metal; hip-hop; punk; country; opera; salsa; gospel; techno; blues",
    "vehicle": "commuter train; ferry; school bus; cable car; tram; freight train; coach; helicopter; light aircraft/small plane; fishing boat",
    "ride": "bus; train; tram; ferry; metro/underground; taxi; cable car",
    "cause_of_crash": "a signal failure; thick fog/dense fog; a burst tyre; a fallen tree; driver fatigue; a brake fault/faulty brakes; strong crosswinds; ice on the track; a steering fault",
    "worker": "nurses; teachers; dockers; miners; bus drivers; postal workers; pilots; firefighters; cleaners; air traffic controllers; journalists; farm labourers; tax inspectors",
    "demand": "higher pay/better pay; shorter hours/a shorter week; safer equipment; job security; paid holidays; earlier retirement; new contracts; better staffing",
    "structure": "suspension bridge; road tunnel; mountain pass; airport runway; ferry terminal; ring road; railway station; swing bridge; coastal highway; underground car park",
    "subject": "mathematics/maths; chemistry; physics; geography; Latin; biology; history; economics; philosophy; music; computer science/computing",
    "faculty": "veterinary medicine; law; engineering; archaeology; dentistry; nursing; journalism; architecture; linguistics; astronomy; marine biology; forestry",
    "animal": "wolves; beavers; lynx; otters; vultures; bison; brown bears; storks; sea turtles; wild horses; flamingos; seals",
    "weapon": "a knife; a pistol/a handgun; a hammer; a shotgun; a crossbow; an axe; a toy gun",
    "shop": "jewellery shop; bank; petrol station; supermarket; post office; pharmacy/chemist's; casino; hotel; bookmaker's; restaurant",
    "relic": "a bronze helmet; a stone temple; a cargo ship; a burial chamber; a mosaic floor; a clay tablet; a wooden canoe; a city wall; a mammoth skeleton",
}

_SOURCES = {
    "business": "the company; a company spokeswoman; a company spokesman; the group's chief executive; people familiar with the matter; two directors; an internal memo",
    "market": "analysts; traders; a stockbroker; market watchers; an investment bank; dealers; fund managers",
    "economy": "the statistics office; the finance ministry; economists; the chamber of commerce; a government report; the national bureau of statistics",
    "politics": "officials; a government spokeswoman; state television; a senior lawmaker; diplomats; aides; the prime minister's office; the news agency",
    "law": "court officials; a lawyer; the prosecutor's office; court documents; a clerk; legal sources; defence lawyers",
    "police": "police; a police spokesman; detectives; witnesses; a local newspaper; the public prosecutor; investigators",
    "sport": "the club; organisers; team officials; the coach; the federation; club doctors; a television commentator",
    "health": "doctors; health officials; researchers; the health ministry; a medical journal; hospital managers; the authors of the study",
    "science": "researchers; scientists; the team; a paper published this week; the expedition's leader; university officials; the space agency",
    "weather": "forecasters; the weather service; rescue workers; emergency services; the civil protection agency; local radio; the meteorological office",
    "tech": "the company; engineers; security experts; a blog post; a technology website; a spokeswoman; industry sources",
    "culture": "curators; organisers; the gallery; a publicist; the jury; critics; the culture ministry; the auctioneer",
    "transport": "the operator; transport officials; the rail regulator; union leaders; the port authority; passengers; the airport's managers",
    "education": "the rector; student leaders; the education ministry; a university spokeswoman; lecturers; the school board; inspectors",
}

_LEADS = {
    "business": "in a statement to investors; after weeks of speculation; in a closely watched announcement; as part of a wider overhaul",
    "market": "in heavy trading; despite a quiet session; amid jittery markets; in early dealings",
    "economy": "in line with forecasts; contrary to most predictions; for the second time in a row; amid worries about global demand",
    "politics": "after a stormy debate; despite pressure from abroad; in a long-awaited decision; following months of negotiations",
    "law": "in a packed courtroom; after a lengthy hearing; in a case that gripped the public; following years of legal wrangling",
    "police": "after a tip from a neighbour; following a night-time search; in a joint operation; after an anonymous call",
    "sport": "in front of a sell-out crowd; in pouring rain; on a bitterly cold evening; after a nervous start",
    "health": "in a finding that surprised specialists; after lengthy consultation; in what experts called a milestone; amid staff shortages",
    "science": "in work that took a decade; using borrowed equipment; after several delays; with the help of volunteers",
    "weather": "after a brief lull; to the surprise of residents; in a dramatic turn; for the first time this season",
    "tech": "after months of rumours; in a crowded market; following complaints from customers; in a message to users",
    "culture": "at a glittering ceremony; to loud applause; after a sleepless night; in a break with tradition",
    "transport": "during the morning rush; at the start of the holiday season; after repeated warnings; to the dismay of travellers",
    "education": "ahead of the new term; after a heated meeting; in an open letter to parents; for budgetary reasons",
}
_TAILS = {
    "business": "ending (weeks|months) of uncertainty; in a move (watched closely by|that did not surprise) rivals; a step shareholders had long discussed; as competition in the sector intensified",
    "market": "as investors weighed the outlook; in line with the wider (market|index); on unusually thin volume; while bond yields barely moved",
    "economy": "(according to|based on) preliminary figures; a change that few households will notice at once; as the currency held steady; in keeping with a regional trend",
    "politics": "in a decision that (divided|split) the coalition; as opposition members looked on; a matter that has dominated the (headlines|front pages); ahead of a difficult summer",
    "law": "in a case that began (five|six) years ago; while relatives waited outside; as cameras flashed; in proceedings closed to the public",
    "police": "in an incident that shocked the (neighbourhood|community); as forensic teams combed the area; while helicopters circled overhead; in a quiet residential street",
    "sport": "in a game (marred|interrupted) by crowd trouble; to the astonishment of fans; on the eve of the winter break; as the captain watched from the bench",
    "health": "a question that has occupied (doctors|physicians) for years; in a country with few specialists; although larger studies are needed; as clinics braced for winter",
    "science": 'in a discovery described as ("extraordinary"|"remarkable"); a result that awaits independent confirmation; thanks to a private donation; in one of the most remote regions on earth',
    "weather": "as (thousands|many) slept in shelters; while schools stayed shut; in a region used to extreme weather; as soldiers joined the relief effort",
    "tech": "as (regulators|watchdogs) look more closely at the industry; a subject that has long worried privacy groups; in time for the holidays; while rivals kept quiet",
    "culture": 'in an evening of (surprises|upsets); a choice that critics called "bold"; as photographers jostled for position; in the festival\'s busiest year',
    "transport": "causing long queues; in the latest (headache|setback) for the network; as engineers inspected the damage; while replacement buses were laid on",
    "education": "in a debate that has (split|divided) the campus; as applications closed; after consulting parents; in a system under strain",
}

_EVENTS = r"""
profit; C=company n=percent q=quarter m=money; none; business
<C>'s <q>-quarter (net |)(profit|earnings) {rose|climbed|jumped|grew~fell|dropped|declined|shrank} (by |)<n> to <m>
<C> (reported|posted|announced) a <n> {rise|increase|jump~fall|drop|decline} in <q>-quarter (net |)(profit|earnings)(, to <m>|)
(net |)(profit|earnings) at <C> {rose|went up|increased~fell|went down|decreased} (by |)<n> in the <q> quarter(, to <m>|)
{higher|stronger~lower|weaker} sales (pushed|took) <C>'s <q>-quarter profit {up~down} (by |)<n>( to <m>|)

shares; C=company n=percent r=reason; day; market
shares in <C> {rose|climbed|advanced~fell|slid|slipped} (by |)<n> @ (after|following) <r>
<C> shares were {up~down} <n> at the close @ (after|following) <r>
!(following|after) <r>, (shares of|the stock of) <C> {gained|added~lost|shed} <n> @
<C>'s share price {rose|climbed~fell|dropped} (by |)<n> @ in response to <r>
investors {bought|snapped up~sold|dumped} <C> shares @ after <r>, {lifting~lowering} the price by <n>

takeover; A=company B=company m=money; day; business; A B
<A> {agreed|consented~refused|declined} @ to (buy|acquire|take over) <B> for <m>
<B> {will~will not} be (bought|acquired|taken over) by <A> for <m>, it emerged @
a <m:a> (takeover|acquisition) of <B> by <A> was {agreed|sealed~abandoned|called off} @
<A> {accepted~walked away from} a <m:a> deal @ to (buy|acquire) <B>

hiring; C=company k=count:120-9000 T=city; month; business
<C> (plans|intends) to {hire|recruit|take on~lay off|dismiss|let go} <k> (workers|employees|staff) (at its site |)in <T> @
<C> will {create|add~cut|eliminate} <k> (jobs|positions) in <T> @
<k> (jobs|posts) are to be {created|added~cut|lost} @ at <C>'s (offices|site) in <T>
some <k> people in <T> will {gain~lose} (work|jobs|employment) @ when <C> {expands~shrinks} its operations

factory; C=company g=goods T=city k=count:80-2400; month; business
<C> (is to|will) {open|inaugurate~close|shut down} a (factory|plant) making <g> in <T> @( with <k> workers|)
a <C> (factory|plant) in <T> that makes <g>(, with <k> workers,|) will {open|start production~close|stop production} @
<C>'s <T> (plant|works), (which produces|a producer of) <g>, {begins operating|opens its gates~ceases operating|shuts its gates} @
!the {opening~closure} of a (factory|plant) for <g> in <T> @ was (announced|confirmed) by <C>

contract; C=company j=project K=country m=money; day; business
<C> {won|secured|landed~lost|was stripped of} a <m:a> (contract|order) from <K> to build <j> @
<K> {awarded~withdrew|cancelled} a (contract|deal) worth <m> {to~with} <C> @ (to build|for the construction of) <j>
a <m:a> (contract|order) to build <j> for <K> was {given to|granted to~taken away from} <C> @

boss; P=person C=company y=count:2-14; day; business
<C> {named|appointed~removed|dismissed} <P> as (its |)(chief executive|CEO) @( after <y> years with the group|)
<P>( , who spent <y> years with the group,|) was {appointed|installed as~ousted as|sacked as} (chief executive|head) of <C> @
the board of <C> {elected|chose~voted out|fired} <P>( , a <y>-year veteran of the firm,|) as (chief executive|CEO) @
<P> {takes over as|becomes~steps down as|is no longer} (chief executive|CEO) of <C>, it was (announced|made public) @

dividend; C=company m=money q=quarter; none; business
<C> [will~will not|won't] (pay|distribute) a dividend for the <q> quarter( despite a profit of <m>|)
shareholders of <C> [will~will not|won't] (receive|get) a (dividend|payout) for the <q> quarter(, in which it earned <m>|)
<C>, which (earned|made) <m> in the <q> quarter, [has decided~has decided not] to pay a dividend
[a dividend will~no dividend will] be paid by <C> (for|on) the <q> quarter

fine; C=company m=millions o=offence K=country; day; law
regulators in <K> {fined~scrapped a fine against} <C> @ over <o>, {a penalty~an amount} of <m>
<C> {must~need not|need no longer} pay a (fine|penalty) of <m> in <K> for <o>, (a tribunal|regulators) ruled @
a <m:a> (fine|penalty) for <o> was {imposed on~lifted from} <C> @ by (regulators|the competition authority) in <K>
<K>'s (regulators|competition authority) {ordered~excused} <C> @ {to pay~from paying} <m> for <o>
"""

_EVENTS += r"""
rates; K=country n=rate; day; economy
the central bank of <K> {raised|lifted|increased~cut|lowered|reduced} its (key|benchmark) (interest |)rate to <n> @
<K>'s central bank {raised|put up~cut|brought down} (interest |)rates @, {taking~bringing} the (key|benchmark) rate to <n>
(borrowing costs|interest rates) in <K> were {increased|raised~reduced|lowered} to <n> @ by the central bank
a {rise~cut} in the (key|benchmark) (interest |)rate of <K> to <n> was announced (by its central bank |)@

inflation; K=country n=rate M=month; none; economy
(annual |)inflation in <K> {accelerated|quickened|picked up~slowed|eased|cooled} to <n> in <M>
(consumer |)prices in <K> rose (by |)<n> in <M>, {faster~more slowly} than (a month|the month) (before|earlier)
<K>'s inflation rate {rose|climbed~fell|declined} to <n> in <M>
in <M>, <K> (saw|recorded) {a rise~a decline} in inflation to <n>

jobless; K=country n=rate M=month k=count:4000-90000; none; economy
the (unemployment|jobless) rate in <K> {rose|climbed|went up~fell|dropped|went down} to <n> in <M>( as employers {shed~added} <k> jobs|)
(unemployment|joblessness) in <K> {increased|rose~decreased|fell} to <n> in <M>
{more~fewer} people were (out of work|unemployed|jobless) in <K> in <M>, with the rate at <n>
<K>'s employers {cut~created} <k> jobs in <M>, and (unemployment|the jobless rate) {rose~fell} to <n>

exports; A=country B=country c=crop n=percent; year; economy; A B
<A>'s exports of <c> to <B> {rose|grew|increased~fell|shrank|decreased} (by |)<n> @
(shipments|deliveries) of <c> from <A> to <B> {went up~went down} (by |)<n> @
<A> sold <n> {more~less} <c> to <B> @( than the year before|)
<B> {increased|expanded~reduced|curbed} its (imports|purchases) of <c> from <A> by <n> @
<c> (exports|sales) to <B> by <A> {surged~slumped} (by |)<n> @

houses; T=city n=percent M=month; none; economy
(house|home|property) prices in <T> {rose|climbed~fell|declined} (by |)<n> in the year to <M>
the (price|cost) of a (house|home) in <T> {increased|went up~decreased|went down} (by |)<n> in the twelve months to <M>
(buyers|purchasers) in <T> paid <n> {more~less} for a (house|home) in <M> than a year (earlier|before)
<T> (saw|recorded) a {rise~fall} of <n> in (house|property) prices in the year to <M>

commodity; c=commodity n=percent K=country; day; market
the price of <c> {rose|climbed|went up~fell|sank|went down} (by |)<n> @ as <K> {cut|curbed~raised|stepped up} (production|output)
{lower|reduced~higher|increased} (production|output) in <K> (sent|pushed) <c> prices {up~down} (by |)<n> @
<c> {gained~lost} <n> @ after <K> {reduced~increased} (supplies|deliveries)
<c> prices {jumped~dropped} (by |)<n> @ on news of {falling~growing} (output|supplies) (in|from) <K>

union_deal; C=company w=worker n=percent T=city; day; business
<C>'s <w> in <T> {accepted|agreed to|approved~rejected|turned down|refused} a pay (offer|rise) of <n> @
a pay (offer|rise) of <n> was {accepted|backed~rejected|turned down} @ by <w> at <C> in <T>
<w> (employed by|working for) <C> in <T> voted @ {for|in favour of~against} a <n> (pay rise|pay increase)
!in <T>, (the |)<w> of <C> said {yes~no} to a <n> (pay rise|wage increase) @

vote; K=country b=bill v=count:130-290 u=count:20-125; day; politics
(lawmakers|parliament|the parliament) in <K> {approved|passed|adopted~rejected|voted down|defeated} a bill on <b> @(, by <v> votes to <u>|)
a bill on <b> was {approved|passed~rejected|thrown out} by <K>'s (parliament|legislature) @( by <v> votes to <u>|)
!by <v> votes to <u>, <K>'s (parliament|lawmakers) {backed|passed~rejected|turned down} (a bill|legislation) on <b> @
<K>'s (legislature|parliament) voted <v> to <u> @ {for|in favour of~against} (a bill|legislation) on <b>

mayor; P=person Q=person T=city n=percent; day; politics; P Q
<P> {beat|defeated~lost to|was defeated by} <Q> in the (election|race|contest) for mayor of <T> @( with <n> of the vote|)
<Q> {lost to~beat} <P> in <T>'s mayoral (election|race|contest) @
voters in <T> {elected|chose~rejected|voted out} <P> @ {over~in favour of} <Q> as mayor
<P> {won~lost} the (mayoral |)(election|race) in <T> @ {against|ahead of~against|behind} <Q>
the (election|race) for mayor of <T> ended @ with a {victory|win~defeat} for <P> against <Q>
"""

_EVENTS += r"""
resign; P=person d=portfolio K=country; day; politics
!<P>, (the |)<d> minister of <K>, (said|announced) @ that [a resignation would follow|a resignation was certain~a resignation would not follow|there would be no resignation]
<K>'s <d> minister(, <P>,| <P>) [will~will not|won't] (resign|step down|quit), an aide (said|confirmed) @
<P> [has agreed|is ready~has refused|is not ready] to (resign|step down|quit) as <d> minister of <K>, it emerged @
!the <d> minister of <K>, <P>, told (parliament|reporters) @ of plans [to step down|to leave office~to stay on|to remain in office]

treaty; A=country B=country t=treaty T=city; day; politics
<A> and <B> {signed|concluded~cancelled|tore up} a <t> (treaty|agreement|pact) in <T> @
a <t> (treaty|agreement|pact) between <A> and <B> was {signed|sealed~cancelled|revoked} in <T> @
!(meeting|at talks) in <T>, <A> and <B> {entered into~withdrew from} a <t> (agreement|pact) @
(ministers|envoys) from <A> and <B> (met|gathered) in <T> @ to {sign|endorse~scrap|annul} a <t> (treaty|agreement)

visit; P=person A=country B=country; month; politics; A B
<P>, the (president|head of state) of <A>, [will~will not|won't] (visit|travel to) <B> @
(President |)<P> of <A> [is to~is not to] make a (state |)visit to <B> @
<B> [will~will not|won't] (receive|welcome) <A>'s (president|head of state)(, <P>,| <P>) @
a (trip|visit) to <B> @ by <P>, the president of <A>, [has been confirmed|will go ahead~has been called off|will not go ahead]

protest; k=count:300-80000 T=city c=cause; day; politics
<k> (people|protesters|demonstrators) (marched|took to the streets) in <T> @ to {support|defend~oppose|denounce} <c>
a (crowd|march) of <k> in <T> demonstrated @ {in favour of|for~against} <c>
(the centre of |)<T> was (filled|blocked) @ by <k> (protesters|people) {backing|supporting~opposing|condemning} <c>
<T> saw <k> {supporters~opponents} of <c> (rally|march) @

tax; K=country x=taxed n=percent; month; politics
<K> (will|is to) {raise|increase~cut|reduce|lower} its tax on <x> by <n> @
the (tax|levy|duty) on <x> in <K> will {go up|rise~go down|fall} by <n> @
(drivers and shoppers|consumers|households) in <K> will (see|face) a <n> tax {increase|rise~cut|reduction} on <x> @
a <n> {increase~reduction} in the (tax|duty) on <x> takes effect in <K> @

ban; K=country b=banned; month; politics
<K> (will|is to) {ban|outlaw|forbid~allow|legalise|permit} <b> @
<b> will be {banned|prohibited|illegal~allowed|permitted|legal} in <K> @
the (government|authorities) of <K> (decided|resolved) to {prohibit|put a stop to~tolerate|give the green light to} <b> @
a law (that {bans|forbids~allows|permits}|{forbidding|prohibiting~allowing|permitting}) <b> (comes into force|takes effect) in <K> @

embassy; A=country B=country T=city; month; politics; A B
<A> (will|is to) {open|reopen~close|shut} (its|an) embassy in <B> @( after talks in <T>|)
<A>'s embassy in <B> will {open its doors|resume work~close its doors|cease work} @( , a meeting in <T> agreed|)
<A>'s (diplomats|ambassador) will {move into~move out of|leave} an embassy in <B> @( after talks in <T>|)
<B> will {gain|host~lose} an embassy of <A> @( following talks in <T>|)

aid; A=country B=country m=money c=crop; day; politics; A B
<A> {promised|pledged~refused|denied} <B> <m> @ (to help|in aid) after a failed <c> harvest
<m> in aid was {pledged~refused} to <B> by <A> @ after the <c> harvest failed
!after its <c> (harvest|crop) failed, <B> was {offered~denied} <m> by <A> @
<A> {agreed|offered~declined|refused} @ to (send|give) <B> <m> after a poor <c> harvest

troops; A=country B=country k=count:150-9000; month; politics; A B
<A> will {send|deploy~withdraw|pull out} <k> (soldiers|troops) {to~from} <B> @
<k> (soldiers|troops) from <A> will {arrive in|enter~leave|depart} <B> @
the (deployment|stationing) of <k> (soldiers|troops) from <A> in <B> will {begin|start~end|cease} @
<B> will {receive|take in~bid farewell to|lose} <k> (soldiers|troops) (from|sent by) <A> @

verdict; P=person c=crime T=city; day; law
(a jury|jurors|a court) in <T> {convicted|found guilty~acquitted|cleared} <P> @ {on a charge~of a charge} of <c>
<P> was {convicted|found guilty~acquitted|found not guilty} of <c> @ by a (court|jury) in <T>
a <T> (court|jury) (ruled|decided|concluded) @ that <P> was {guilty~not guilty|innocent} of <c>
(the trial of|proceedings against) <P> for <c> ended in <T> @ with {a conviction|a guilty verdict~an acquittal|a verdict of not guilty}

sentence; P=person y=count:2-22 c=crime T=city; day; law
<P> was (sentenced to|given) <y> years in (prison|jail) for <c> in <T> @ and [will~will not|won't] appeal
a judge in <T> (sentenced|sent) <P> to (prison|jail) for <y> years @ for <c>; the defence [intends to appeal~does not intend to appeal]
!<P>, (jailed|imprisoned) in <T> @ for <y> years for <c>, [will~will not] (appeal|contest the sentence)
![there will be an appeal~there will be no appeal] after <P> was (jailed|imprisoned) @ for <y> years in <T> for <c>
"""

_EVENTS += r"""
arrest; P=person a=count:19-78 c=crime T=city; day; police
police in <T> {arrested|detained~released|freed} <P>( , <a>,|) @ in (a case|an investigation) of suspected <c>
<P>( , <a>,|) was {arrested|taken into custody~released|set free} in <T> @ in (a case|an investigation) of <c>
(a suspect|a person) named <P> was {detained~let go} by <T> police @ in connection with <c>
(officers|detectives) investigating <c> {took <P> into custody~released <P> from custody} in <T> @

lawsuit; A=company B=company g=grievance T=city m=millions; day; law; A B
<A> {sued~dropped its case against} <B> @ for <g> in a court in <T>( , a claim of <m>|)
<A> {filed|lodged~withdrew|abandoned} a (lawsuit|suit) against <B> in <T> @ alleging <g>
<B> is {being sued~no longer being sued} by <A> for <g>( and <m>|), a court in <T> (confirmed|said) @
a (lawsuit|suit) (brought|filed) by <A> in <T> that accuses <B> of <g> was {filed~dropped} @

appeal; P=person c=crime K=country; day; law
(an appeals court|the court of appeal) in <K> {upheld|confirmed~overturned|quashed} the conviction of <P> for <c> @
<P>'s conviction for <c> was {upheld|confirmed~quashed|set aside} by <K>'s (highest|supreme) court @
judges in <K> {rejected~allowed|granted} an appeal by <P> @ against a conviction for <c>
<P> {lost|failed in~won|succeeded in} an appeal in <K> @ against a conviction for <c>

theft; l=loot k=count:3-140 T=city; day; police
thieves (stole|took|made off with) <k> <l> (from a museum |)in <T> @ that [have since been~have not been] (found|recovered)
<k> <l> were stolen in <T> @, and they [have been recovered|have turned up~have not been recovered|are still missing]
!police in <T> [have found|have recovered~have not found|have yet to recover] <k> <l> stolen (from a museum |)@
!the theft of <k> <l> in <T> @ [has been solved|has been cleared up~remains unsolved|has not been cleared up]

robbery; w=weapon s=shop T=city m=price2; day; police
a robber (armed with|carrying) <w> [escaped~failed to escape] with <m> @ from a <s> in <T>
(a man|a robber) (holding|with) <w> held up a <s> in <T> @ and [got away with~did not get away with] <m>
a <s> in <T> was (robbed|held up) @ by (someone|a man) with <w>, who [made off with~dropped and left behind] <m>
a (man|robber) with <w> (burst into|entered) a <s> in <T> @ and [left with~left without] <m>

extradite; P=person A=country B=country c=crime; month; law; A B
<A> {will~will not} (extradite|hand over) <P> to <B> @ to (face charges of|stand trial for) <c>
<P>, (wanted|charged) in <B> (with|for) <c>, {will be~will not be} (extradited|handed over) by <A> @
(judges|a court) in <A> {allowed|approved~blocked|barred} the extradition of <P> to <B> @ (on charges of|over) <c>
<B>'s request that <A> (surrender|extradite) <P> over <c> was {granted|accepted~refused|rejected} @

match; A=team B=team s=score T=city; day; sport; A B
<A> {beat|defeated~lost to|were beaten by} <B> <s> @( in <T>|)
<B> {lost to|were beaten by~beat|defeated} <A> <s> @( in <T>|)
it ended <s> (in <T> |)@ as <A> {overcame|got the better of~fell to|went down to} <B>
<A> {celebrated|earned~suffered|slumped to} a <s> {victory|win~defeat|loss} against <B> @( in <T>|)

transfer; P=person A=team B=team m=millions; day; sport; A B
(striker|forward|midfielder|goalkeeper) <P> {will~will not} (join|move to) <B> from <A> for <m>, it was (announced|confirmed) @
<A> {agreed|decided~refused|declined} @ to sell <P> to <B> for <m>
<B> {completed|wrapped up~abandoned|pulled out of} the (signing|purchase) of <P> from <A> for <m> @
the transfer of <P> from <A> to <B> for <m> {went through|was completed~collapsed|fell through} @

fitness; P=person A=team B=team i=injury; day; sport
<P> [will~will not|won't] (play|appear) for <A> against <B> @ (after|following) <i>
<A> [will be able to|can~will be unable to|cannot] (count on|call on|field) <P> against <B> @ after <i>
[<i> will not keep~<i> will keep|<i> keeps] <P> out of <A>'s (match|game) against <B> @
(after|following) <i>, <P> is [fit~not fit|unfit] to (play|line up) for <A> against <B> @

athlete; P=person K=country r=race T=city; day; sport
<P> of <K> {won|took~missed|narrowly missed} (gold|the gold medal) in the <r> in <T> @
!in <T>, there was {gold~no gold} for <P> of <K> @ in the <r>
<K>'s <P> {came first|finished first~did not come first|failed to win} in the <r> (at the championships |)in <T> @
the (gold medal|title) in the <r> {went to~eluded|escaped} <P> of <K> in <T> @
"""

_EVENTS += r"""
coach; P=person A=team y=count:2-9; day; sport
<A> {hired|appointed~fired|dismissed} <P> as (coach|head coach|manager) @( on a contract of <y> years|)
<P> was {appointed|named~sacked|dismissed} as (coach|manager) of <A> @
the (coach|manager) <P> {joined|arrived at~left|parted company with} <A> @( on a contract of <y> years|)
<A> {took on~let go of} <P> as (head coach|manager) @

tennis; P=person Q=person T=city r=round; day; sport; P Q
<P> {beat|defeated~lost to|was knocked out by} <Q> @ in the <r> (of the tennis tournament |)in <T>
<Q> {lost to~beat} <P> @ in (straight sets|three sets|the deciding set) in the <r> in <T>
!in the <r> in <T>, <P> {defeated|eliminated|got past~was eliminated by|lost to} <Q> @
<P> {won~lost} (a|the) <r> (match|tie) against <Q> in <T> @

doping; P=person T=city r=race; day; sport
(runner|champion|former champion) <P>, a specialist in the <r>, {passed~failed} a drugs test in <T> @
a (doping|drugs) test in <T> @ (showed|found) that <r> champion <P> was {clean~not clean|doped}
<P> tested {negative~positive} for (banned|illegal) substances in <T> @ after the <r>
<r> champion <P> was {cleared of~found guilty of} doping in <T> @

stadium; A=team T=city m=millions k=count:8000-80000; day; sport
<A> [will~will not|won't] build a (stadium|ground) for <k> (spectators|fans) in <T>, it was (announced|confirmed) @
a <k>-seat (stadium|ground) for <A> in <T>( costing <m>|) was [approved|given the go-ahead~not approved|denied the go-ahead] @
<T> council [gave~did not give|refused] <A> permission @ for a (stadium|ground) with <k> seats
(plans|a scheme) by <A> for a <k>-seat (stadium|arena) in <T> [got~did not get] (approval|permission) @

trial; D=drug c=condition n=percent I=institute k=count:200-9000; none; health
the drug <D> {reduced|lowered|cut~increased|raised} the risk of <c> by <n> in a (trial|study) at the <I>( with <k> patients|)
(patients|people) who took <D> were <n> {less~more} likely to (develop|suffer from) <c>, a (study|trial) at the <I> (found|showed)
(researchers|doctors) at the <I> (found|reported) that <D> {lowers|cuts~raises|increases} the (risk|danger) of <c> by <n>
a trial of <D> (by|at) the <I>( in <k> patients|) showed a <n> {decrease|reduction~increase|rise} in the risk of <c>

outbreak; d=disease T=city k=count:40-9000 M=month; none; health
the number of (people with|cases of) <d> in <T> {rose|climbed|increased~fell|dropped|decreased} to <k> in <M>
(doctors|hospitals|clinics) in <T> (counted|recorded) <k> cases of <d> in <M>, {more~fewer} than the month before
!in <T>, <d> {spread~receded} in <M>, with <k> (people|residents) {infected|ill~still infected|still ill}
cases of <d> in <T> {went up~went down} to <k> in <M>

diet; f=food c=condition n=percent I=institute k=count:900-90000; none; health
(eating|consuming) <f> (daily|every day|regularly) {lowers|reduces|cuts~raises|increases} the risk of <c> by <n>, a study (by|at) the <I> found
people who (regularly |)(eat|consume) <f> are <n> {less~more} likely to (get|develop) <c>, according to the <I>
the <I> (linked|tied) <f> to a <n> {lower|smaller~higher|greater} risk of <c>( in a study of <k> people|)
a (regular |)diet of <f> {protects against~promotes|encourages} <c>, changing the risk by <n>, a study of <k> people at the <I> (found|suggested)

ward; T=city w=ward b=count:12-90; month; health
the (hospital|clinic) in <T> (will|is to) {open|add~close|shut} a <w> ward @( with <b> beds|)
<T>'s (hospital|general hospital) will {gain a|get a~lose its} <w> ward @( of <b> beds|)
a <w> (ward|unit) with <b> beds will be {opened|added~closed|shut} at the (hospital|clinic) in <T> @
(managers|administrators) (plan|want) to {open~close} the <w> (ward|unit) of the hospital in <T> @

approval; D=drug C=company c=condition K=country; day; health
<K> [approved|authorised~did not approve|refused to authorise] <C>'s drug <D> for (the treatment of |)<c> @
<C> [won|received~did not win|did not receive] (approval|permission) in <K> @ to sell <D> (as a treatment for|against) <c>
(the sale of |)<D>, (a drug|a medicine) against <c> made by <C>, was [approved~not approved|refused] in <K> @
(regulators|health authorities) in <K> said [yes~no] @ to <D>, <C>'s (medicine|treatment) for <c>

vaccine; d=disease K=country n=percent; year; health
vaccination against <d> [became|was made~ceased to be] (compulsory|mandatory|obligatory) for children in <K> @
<K> [made~no longer made] vaccination against <d> (compulsory|mandatory) for (children|schoolchildren) @( when coverage stood at <n>|)
children in <K> [had to~did not have to] be vaccinated against <d> @( with coverage at <n>|)
(parents|families) in <K> [were obliged~were not obliged] to have (children|their children) vaccinated against <d> @

species; s=species I=institute K=country k=count:6-400; year; science
(researchers|biologists) from the <I> (discovered|found|described) a (species|kind) of <s> in <K> @ that [is~is not] (threatened|endangered)
a (species|kind) of <s> (discovered|found) in <K> by the <I> @ [is~is not] (endangered|at risk)
[an endangered~a common] (species|kind) of <s> was (found|discovered) @ in <K> by (researchers|biologists) from the <I>
!the <s> that a team from the <I> found in <K> @ [is~is not] (threatened|endangered)( ; <k> were counted|)
"""

_EVENTS += r"""
probe; p=planet K=country I=institute; month; science
a (spacecraft|space probe) from <K> (bound for|on its way to) <p> [reached its target~did not reach its target|failed to reach its target] @
<K>'s (mission|probe) to <p>, (built|designed) at the <I>, [succeeded~failed|did not succeed] @
a (probe|spacecraft) launched by <K> [arrived safely at~was lost on its way to|never arrived at] <p> @
(engineers|scientists) in <K> [made contact~lost contact|did not make contact] with a (probe|spacecraft) (sent|launched) to <p> @

dig; I=institute r=relic T=city a=count:300-6000; month; science
archaeologists from the <I> [found|unearthed~did not find|looked in vain for] <r> near <T> @( , <a> years old|)
<r>(, thought to be <a> years old,|) [was unearthed|was discovered~was not found|was sought in vain] by the <I> near <T> @
a (search|dig) near <T> by the <I> @ [turned up|brought to light~failed to turn up|did not bring to light] <r>
(diggers|a team) from the <I> [came upon~did not come upon] <r>( from <a> years ago|) near <T> @

animals; a=animal K=country k=count:30-4000 R=river; year; science
the number of <a> in <K> {rose|grew|increased~fell|shrank|decreased} to <k> @
{more~fewer} <a> (live|were counted) in <K>: a (survey|count) @ found <k> (along the <R>|in all)
a (survey|census) in <K> (along the <R> |)counted <k> <a> @, {an increase~a decrease}
<a> are becoming {more common|less rare~rarer|less common} in <K>, where <k> were (counted|seen) @( along the <R>|)

storm; S=storm w=count:90-260 T=city h=count:4000-90000; day; weather
Storm <S> {strengthened|gained strength~weakened|lost strength} near <T> @, with winds of <w> (kilometres an hour|km/h)
(winds|gusts) of <w> (kilometres an hour|km/h) were measured near <T> @ as Storm <S> {grew stronger|intensified~grew weaker|abated}
Storm <S>, with winds of <w> (kilometres an hour|km/h), {picked up~lost} force @ as it (neared|approached) <T>
Storm <S> {intensified|gathered strength~weakened|lost power} @ (off|near) <T>, where <h> (homes|households) were without electricity

flood; R=river T=city k=count:200-30000; day; weather
<k> (people|residents) {left|fled|were evacuated from~returned to|went back to} their homes in <T> @ as the <R> {rose~fell}
the (River |)<R> {rose|swelled~fell|receded} at <T> @, and <k> (people|residents) {had to leave~could return to} their homes
{rising~falling} waters (of|on) the <R> {forced~allowed} <k> (people|residents) to {leave~return to} their homes in <T> @
!in <T>, the (level|waters) of the <R> {went up~went down} @ and <k> (people|residents) {were evacuated~went home}

quake; g=magnitude T=city k=count:3-900 K=country; day; weather
an earthquake of magnitude <g> (struck|hit|shook) <T> @( , injuring <k> people,|) and [caused|did~caused no|did no] serious damage
[there was~there was no] (serious|severe|heavy) damage in <T> after (an earthquake|a quake) of magnitude <g> @
a magnitude <g> (earthquake|quake) (shook|hit) <T>( in <K>|) @ and [damaged~did not damage] buildings( ; <k> people were hurt|)
buildings in <T> [collapsed~did not collapse|stayed standing] (when|after) a magnitude <g> (earthquake|quake) struck( <K>|) @

wildfire; h=count:200-60000 T=city f=count:40-1900; day; weather
a (wildfire|forest fire) near <T> (that covers|covering) <h> hectares was {still spreading|out of control~under control|contained} @
<f> firefighters {lost~gained} control of a (wildfire|forest fire) near <T> @ that has burned <h> hectares
(flames|a fire) that destroyed <h> hectares near <T> {spread further|kept spreading~stopped spreading|died down} @
a <h>-hectare (fire|forest fire) near <T> {advanced|grew~retreated|shrank} @( , with <f> firefighters on the scene|)

temperature; t=count:8-24 T=city K=country M=month; none; weather
<T>( in <K>|) had its {hottest|warmest~coldest|coolest} <M> on record, with an average of <t> degrees
it was the {warmest~coldest} <M> ever (measured|recorded) in <T>( , <K>|): (the average was|on average) <t> degrees
the average <M> temperature in <T> was a record {high~low} of <t> degrees
a record {high~low} of <t> degrees was (measured|registered) in <T>( , <K>,|) for <M>

drought; K=country c=crop n=percent; year; weather
the <c> harvest in <K> was <n> {larger|bigger~smaller} @ {thanks to~because of} {good rains|plentiful rain~drought|a lack of rain}
{rain~drought} {raised|boosted~reduced|hurt} the <c> (harvest|crop) in <K> by <n> @
(farmers|growers) in <K> (harvested|brought in) <n> {more~less} <c> @ {after~owing to} {abundant rain~a drought}
<K>'s <c> (crop|harvest) {grew|increased~shrank|decreased} (by |)<n> @

launch; C=company X=product g=gadget p=price; month; tech
<C> (will|plans to) {launch|introduce|release~discontinue|withdraw|stop selling} the <X>, a <g>( that costs <p>|), @
the <X>, (a <g>|<C>'s <g>)( priced at <p>|), will {go on sale|reach shops~disappear from shops|go off sale} @
<C>'s <X> <g> will {arrive in shops|be launched~be dropped|be withdrawn} @( at a price of <p>|)
<C> {begins~ends} sales of the <X>, a <g>( costing <p>|), @

breach; C=company s=stolen k=count:2000-900000; month; tech
(hackers|intruders) [stole|obtained~failed to obtain|did not get] the <s> of <k> (customers|users|clients) of <C> @
<C> [lost~did not lose] the <s> of <k> (customers|users) in (an attack|a break-in) @
the <s> of <k> <C> (customers|users) [were~were not] (stolen|taken) in a (cyberattack|hacking attack) @
a (cyberattack|break-in) @ [exposed~did not expose] the <s> of <k> (people|customers) (registered with|served by) <C>

outage; C=company s=service K=country; day; tech
<C>'s <s> service in <K> {broke down|went offline~was restored|came back online} @
<C> {suspended|halted~resumed|restarted} its <s> service in <K> @
(users|customers) in <K> {lost|were cut off from~regained|were reconnected to} <C>'s <s> service @
the <s> service of <C> {stopped working|failed~started working again|returned} in <K> @
"""

_EVENTS += r"""
recall; C=company X=product g=gadget k=count:900-400000; month; tech
<C> [will~will not|won't] recall <k> (units|pieces) of the <X>, a <g>, @ (over|because of) a (faulty|defective) (battery|part)
[a recall of~no recall of] the <X>, a <g> from <C>, (is planned|is to take place) @, with <k> sold
(owners|buyers) of <k> <X> devices[ must~ need not] return the <C> <g> @ because of a (faulty|defective) part
<k> <X> (devices|units), a <g> made by <C>, [are to be~are not to be] (called back|recalled) @

privacy; C=company K=country n=percent s=service; month; tech
<C> [will~will not|won't] (charge|ask money) for its <s> service in <K> @( , used by <n> of the population|)
<C>'s <s> service in <K>( , used by <n> of the population,|) [will no longer be~will stay|will remain] free @
(users|customers) in <K> [will~will not] have to pay for <C>'s <s> service @
[a fee~no fee] for the <s> service of <C> will be (charged|introduced) in <K> @

festival; P=person z=festival_prize T=city; day; culture
<P> [won|received|took~did not win|missed out on] the (prize|award) for <z> at the <T> film festival @
the <T> film festival's (prize|award) for <z> [went to~did not go to] <P> @
the jury in <T> [gave~did not give|refused] <P> the (film festival's |)(prize|award) for <z> @
!at the <T> film festival, <P> was [honoured~not honoured|passed over] @ (for|with the award for) <z>

auction; a=art P=person m=price2 T=city; day; culture
a <a> by <P> [was sold~was not sold|failed to sell] for <m> (at auction |)in <T> @
an auction in <T> @ [found a~found no] buyer at <m> for a <a> by <P>
[a collector~no collector] paid <m> for a <a> by <P> (at auction |)in <T> @
<P>'s <a> [fetched|went for~did not fetch|fell short of] <m> at (an auction|a sale) in <T> @

book; P=person g=genre m=price2 K=country; day; culture
<P> [won|was awarded~did not win|was not awarded] <K>'s (national |)(literary|book) prize @ for a <g>( , worth <m>|)
<K>'s (literary|book) prize[ went~ did not go] to <P> @ for a <g>
a <g> by <P> [won|took~missed|failed to win] the (national |)(book|literary) prize( of <m>|) in <K> @
the judges of <K>'s (book|literary) prize [chose~did not choose|rejected] a <g> by <P> @

exhibition; T=city e=exhibit k=count:2000-400000; month; culture
an (exhibition|exhibit|show) of <e> in <T> that drew <k> (visitors|people) {opened|began~closed|ended} @
a (museum|gallery) in <T> {opened~closed} an (exhibition|exhibit) of <e> @( , for which <k> tickets were sold|)
!the {opening~final} day of an (exhibition|exhibit) of <e> in <T> @ brought the number of tickets (sold |)to <k>
<e> {went on~came off} display in a (museum|gallery) in <T> @( , with <k> tickets sold|)

tour; P=person m=music T=city k=count:900-90000; month; culture
(singer|star|musician) <P> {announced|confirmed~cancelled|called off} a <m> concert in <T> @( for <k> people|)
a <m> concert by <P> in <T> @( , for which <k> tickets were printed,|) {will go ahead|will take place~has been cancelled|has been called off}
<P>'s (fans|audience) in <T> {will~will not} hear <m> (live |)@, as the (singer|star) {confirmed~cancelled} a concert
<m> (star|singer) <P> {will~will not} (perform|play|appear) in <T> @( before <k> people|)

crash; v=vehicle T=city k=count:3-190 x=cause_of_crash; day; transport
<k> people were (hurt|injured) when a <v> crashed near <T> @, [because of~but not because of] <x>
<x> [caused~did not cause] the (crash|accident) of a <v> near <T> @ in which <k> people were (hurt|injured)
a <v> crash near <T> @ that (injured|hurt) <k> people [was~was not] (caused by|the result of) <x>
(investigators|inspectors) [blamed~ruled out] <x> for a <v> crash near <T> @ (in which <k> people were injured|with <k> injured)

route; C=company A=city B=city n=count:2-21; month; transport; A B
<C> (will|is to) {launch|start~drop|end} flights from <A> to <B> @( , <n> a week|)
(flights|air services) with <C> from <A> to <B> will {begin|start~end|cease} @
(travellers|passengers) will {be able~no longer be able} to fly from <A> to <B> with <C> @( , <n> times a week|)
the <A> to <B> (route|service) of <C> will be {launched|added~scrapped|discontinued} @

bridge; s=structure T=city m=millions; day; transport
a <s> (in|near) <T> {reopened|was reopened~closed|was closed} @
the <s> near <T>( , renovated for <m>,|) was {opened to|cleared for~closed to|shut to} traffic @
(the authorities|officials) in <T> {opened|reopened~closed|sealed off} a <s>( that cost <m>|) @
traffic {returned to~was banned from} a <s> (in|near) <T>( built for <m>|) @

strike; w=worker K=country d=demand k=count:300-60000; day; transport
<k> <w> in <K> {began|started|launched~ended|called off|halted} a strike @ for <d>
a strike (by|of) <k> <w> (over|for) <d> {began|started~ended|finished} in <K> @
<w> in <K>, <k> (in all|of them), {stopped|walked out of~returned to|went back to} work @ in (a dispute|a conflict) over <d>
(demanding|in a campaign for) <d>, <k> <w> in <K> {went on strike|downed tools~ended a strike|resumed work} @

fares; T=city n=percent v=ride; month; transport
(public transport |)fares in <T> will {rise|go up~fall|go down} by <n> @
(passengers|commuters|travellers) in <T> will pay <n> {more~less} (for tickets |)@ on the <v>
<T> (will|is to) {raise|increase~cut|reduce} <v> fares by <n> @
a <n> {increase|rise~reduction|cut} in <v> fares (awaits|takes effect for) (passengers|commuters) in <T> @

tuition; I=institute n=percent k=count:900-40000 f=faculty; year; education
the <I> {raised|increased~cut|lowered|reduced} tuition fees in <f> by <n> @
(students|undergraduates) of <f> at the <I> paid <n> {more~less} in (tuition |)fees @
(tuition |)fees for <f> at the <I> {rose|went up~fell|went down} (by |)<n> @( , affecting <k> students|)
a <n> {rise~cut} in fees @ {angered~pleased} <k> (students|undergraduates) of <f> at the <I>

exams; s=subject K=country n=percent; month; education
<n> of (pupils|students|candidates) in <K> {passed~failed} the <s> (exam|examination) @
the <s> (exam|examination) in <K> was {passed~failed} by <n> of (pupils|candidates) @
!of all candidates in <K>, <n> {succeeded|were successful~did not succeed|were unsuccessful} in (the exam in |)<s> @
!in <s>, <n> of <K>'s (school-leavers|pupils) {got through~did not get through} the exam @

faculty; I=institute f=faculty m=millions k=count:60-4000; year; education
the <I> {founded|set up|established~closed|abolished|wound up} a (department|faculty|school) of <f> @( for <k> students|)
a (department|school) of <f> was {founded|established~abolished|closed} at the <I> @( with a budget of <m>|)
the <I> {began~stopped} (teaching|offering courses in) <f> @( to <k> students|)
{students could enrol~students could no longer enrol} in <f> at the <I> @

curriculum; s=subject K=country a=count:6-15; year; education
<s> [became~ceased to be] a (compulsory|required|mandatory) subject in <K>'s schools @( from the age of <a>|)
(schools|secondary schools) in <K> [had to~no longer had to|did not have to] teach <s> @( to pupils aged <a>|)
(pupils|schoolchildren) in <K> [were~were not] (obliged|required) to (study|take) <s> @( from the age of <a>|)
<K> [made~no longer made] <s> (compulsory|obligatory) (in schools|for pupils) @
"""

_OPEN = {"(": ("alt", ")"), "{": ("direction", "}"), "[": ("negation", "]")}


def _parse(text: str, counter: itertools.count, end: str = "") -> list:
    """Turn a phrasing into `[side, ...]`, `side = [sequence, ...]`, `sequence = [str or tuple, ...]`.

    `~` separates sides and `|` sequences. Raises `CourseError` where a bracket is left open."""
    chars, sides, sequence = (text if not isinstance(text, str) else iter(text)), [[]], []
    for char in chars:
        if char == end or char in "~|":
            sides[-1].append(sequence)
            sequence = []
            if char == end:
                return sides
            if char == "~":
                sides.append([])
        elif char in _OPEN:
            kind, close = _OPEN[char]
            sequence.append((kind, next(counter), _parse(chars, counter, close)))
        elif char == "<":
            slot, _, form = "".join(itertools.takewhile(lambda c: c != ">", chars)).partition(":")
            sequence.append(("fact", slot, form))
        elif char == "@":
            sequence.append(("time", next(counter)))
        elif sequence and isinstance(sequence[-1], str):
            sequence[-1] += char
        else:
            sequence.append(char)
    if end:
        raise CourseError(f"a {end!r} is missing in a phrasing: close the bracket.")
    return [[sequence]]


def _places(tree: list | tuple) -> list[int]:
    "The numbers of the places in a tree where the time may stand."
    if isinstance(tree, tuple) and tree[0] == "time":
        return [tree[1]]
    if isinstance(tree, (list, tuple)):
        return [n for part in tree for n in _places(part)]
    return []


def _read_event(block: str) -> dict:
    "Read one block of the grammar: name, slots (`{slot: kind}`), time, domain, exchange, phrasings (tree, places, front)."
    head, *lines = block.strip().split("\n")
    name, slots, time, domain, *swap = (part.strip() for part in head.split(";"))
    trees = [_parse(line.lstrip("!"), itertools.count())[0][0] for line in lines]
    phrasings = [(tree, _places(tree), line[0] != "!") for tree, line in zip(trees, lines, strict=True)]
    return {
        "name": name,
        "slots": dict(slot.split("=") for slot in slots.split()),
        "time": time,
        "domain": domain,
        "swap": swap[0].split() if swap else [],
        "phrasings": phrasings,
    }


@lru_cache(maxsize=1)
def _grammar() -> dict:
    "The parsed grammar, read on first use: events, things, sources, leads and tails."
    split = lambda table: {key: [item.strip() for item in text.split(";")] for key, text in table.items()}
    things = {key: [item.split("/") for item in items] for key, items in split(_THINGS).items()}
    tails = {key: [_parse(item, itertools.count())[0][0] for item in items] for key, items in split(_TAILS).items()}
    return {
        "events": [_read_event(block) for block in _EVENTS.strip().split("\n\n")],
        "things": things,
        "sources": split(_SOURCES),
        "leads": split(_LEADS),
        "tails": tails,
    }


_DIGITS = "zero one two three four five six seven eight nine ten eleven twelve".split()


def _number(kind: str, rng: random.Random) -> tuple:
    """Draw a number: `(kind, value, forms)`.

    `kind` is `count:LOW-HIGH`, or one of percent, rate, magnitude, money, millions, price and price2."""
    if kind.startswith("count:"):
        low, high = map(int, kind[6:].split("-"))
        value = math.exp(rng.uniform(math.log(low), math.log(high)))
        unit = 10 ** max(0, len(str(int(value))) - 2)
        value = min(high, max(low, round(value / unit) * unit))
        return kind, value, [f"{value:,}"] if value > 12 else [_DIGITS[value], str(value)]
    if kind == "percent":
        value = rng.randint(2, 48)
        forms = [f"{value} percent", f"{value} percent", f"{value}%"]
        return kind, value, forms + [f"{word} percent" for word in _DIGITS[value : value + 1]]
    if kind == "rate":
        value = rng.randint(6, 148) / 10
        return kind, value, [f"{value} percent", f"{value} percent", f"{value}%"]
    if kind == "magnitude":
        value = rng.randint(41, 82) / 10
        return kind, value, [str(value)]
    if kind == "price":
        value = rng.randrange(49, 1900, 10)
        return kind, value, [f"${value:,}", f"${value:,}", f"{value:,} dollars"]
    if kind == "price2":
        value = rng.randrange(2, 98) * 1000
        return kind, value, [f"${value:,}", f"${value:,}", f"{value:,} dollars"]
    value, scale, (sign, word) = (
        rng.randint(11, 99) / 10 * rng.choice([1, 10]),
        rng.choice(["million", "billion"] if kind == "money" else ["million"]),
        rng.choice([("$", "dollars"), ("€", "euros"), ("£", "pounds")]),
    )
    return kind, value, [f"{sign}{value:g} {scale}"] * 2 + [f"{value:g} {scale} {word}"]


_NAME_KINDS = {"company", "team", "institute", "product", "drug", "storm", "person"}
_PLACE_KINDS = {"city", "country", "river"}


def _fact(kind: str, names: dict[str, list[str]], rng: random.Random) -> tuple:
    "Draw a fact of a kind: `(kind, value, forms)`. `names` are those of one split."
    if kind == "person":
        first, last = rng.choice(names["first_name"]), rng.choice(names["person"])
        return kind, last, [f"{first} {last}", f"{first} {last}", last]
    if kind in names:
        name = rng.choice(names[kind])
        return kind, name, [name, name, name.split()[0]] if kind in ("company", "team") else [name]
    things = _grammar()["things"]
    if kind in things:
        item = rng.choice(things[kind])
        return kind, item[0], item
    return _number(kind, rng)


def _time(kind: str, rng: random.Random) -> tuple | None:
    "Draw the time of an event, `(kind, value, forms)`: a day, a month or a year; `None` where `kind` is none."
    if kind == "none":
        return None
    if kind == "year":
        year = rng.randint(1991, 2019)
        return "time", year, [f"in {year}", f"in {year}", f"during {year}"]
    word = rng.choice(_grammar()["things"][kind])[0]
    if kind == "month":
        return "time", word, [f"in {word}"]
    return "time", word, [f"on {word}", f"on {word}", word]


def _draw(event: dict, names: dict[str, list[str]], rng: random.Random) -> dict:
    "All the facts of one event, and the remarks that may surround it."
    facts, used = {}, set()
    for slot, kind in event["slots"].items():
        while (fact := _fact(kind, names, rng))[1] in used:
            pass
        used.add(fact[1])
        facts[slot] = fact
    grammar, domain = _grammar(), event["domain"]
    return {
        "facts": facts,
        "time": _time(event["time"], rng),
        "said": _time("day", rng),
        "direction": rng.randrange(2),
        "negation": rng.randrange(2),
        "source": rng.choice(grammar["sources"][domain]),
        "lead": rng.choice(grammar["leads"][domain]),
        "tail": rng.choice(grammar["tails"][domain]),
    }


_FRAMES = (
    "plain",
    "plain",
    "plain",
    "plain",
    "said_after",
    "said_after",
    "said_after",
    "according_after",
    "according_front",
    "said_front",
    "said_front",
)


class _Writer:
    """Writes one sentence from `story`, the facts of one event.

    `notes` are the choices of an earlier sentence; `keep` is the chance to repeat one of them.
    Afterwards `made` holds this sentence's choices, and `told` the facts it really mentions."""

    def __init__(self, event: dict, story: dict, seed: int, notes: dict | None = None, keep: float = 0.0):
        self.event, self.story, self.rng = event, story, random.Random(seed)
        self.notes, self.keep, self.made, self.told = notes or {}, keep, {}, set()

    def pick(self, key: object, n: int) -> int:
        "Choose one of `n`, or repeat the noted choice."
        choice, repeat = self.rng.randrange(n), self.rng.random() < self.keep
        if repeat:
            choice = self.notes.get(key, choice)
        self.made[key] = choice
        return choice

    def form(self, key: str, fact: tuple) -> str:
        "Write a fact in one of its forms."
        self.told.add(key)
        return fact[2][self.pick(("form", key), len(fact[2])) % len(fact[2])]


def _expand(self, where: object, sequence: list) -> str:
    "Write a parsed sequence; `where` tells the choices of different phrasings apart."
    parts = []
    for node in sequence:
        if isinstance(node, str):
            parts.append(node)
        elif node[0] == "fact":
            kind, value, forms = self.story["facts"][node[1]]
            parts.append(self.form(node[1], (kind, value, forms[:1] if node[2] else forms)))
        elif node[0] == "time":
            if node[1] == self.place:
                parts.append(self.form("time", self.story["time"]))
        else:
            kind, number, sides = node
            side = 0
            if kind != "alt":
                side = self.story[kind]
                self.told.add(kind)
            options = sides[side]
            parts.append(self.expand(where, options[self.pick((where, number, side), len(options))]))
    return "".join(parts)


_Writer.expand = _expand


def _clause(self, may_front: bool) -> str:
    "The event itself, with its time in front, inside or left out."
    number = self.pick("phrasing", len(self.event["phrasings"]))
    tree, places, fronted = self.event["phrasings"][number]
    options = ([None] if self.pick("timeless", 6) == 0 else places) if self.story["time"] else [None]
    front = self.pick("front", 3) == 0 and may_front and fronted and self.story["time"] and options != [None]
    self.place = None if front else options[self.pick(("place", number), len(options)) % len(options)]
    text = self.expand(number, tree)
    if not front:
        return text
    self.told.add("time")
    return f"{self.story['time'][2][0]}, {text}"


_Writer.clause = _clause


def _write(self) -> str:
    "The whole sentence: a clause, perhaps with a remark before or after it, and perhaps with its source."
    frame, source = _FRAMES[self.pick("frame", len(_FRAMES))], self.story["source"]
    lead, tail = self.pick("lead", 6) == 0, self.pick("tail", 4) == 0
    lead = lead and not frame.endswith("front")
    text = self.clause(may_front=not lead and not frame.endswith("front"))
    if lead:
        text = f"{self.story['lead']}, {text}"
    if tail:
        text = f"{text}, {self.expand('tail', self.story['tail'])}"
    said = ["said", "said", "reported", "confirmed"][self.pick("said", 4)]
    if self.event["time"] != "day" and frame.startswith("said") and self.pick("said_day", 3):
        said += " " + self.form("said", self.story["said"])
    if frame == "said_after":
        text = f"{text}, {source} {said}"
    if frame == "said_front":
        text = f"{source} {said} that {text}"
    if frame == "according_after":
        text = f"{text}, according to {source}"
    if frame == "according_front":
        text = f"according to {source}, {text}"
    return _tidy(text)


_Writer.write = _write

_AN = re.compile(r"\b([Aa]) (?=[aeioAEIOÅØ]|u(?!ni|se)|U(?!n?[ix])|(?:[$€£]?(?:8|11\b|18\b)))")


def _tidy(text: str) -> str:
    "Mend spaces, commas and articles, start with a capital and end with a full stop."
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r"\s+([,;:.])", r"\1", text)
    text = re.sub(r",(\s*[,;])+", ",", text).rstrip(",;")
    text = _AN.sub(r"\1n ", text)
    start = next(i for i, char in enumerate(text) if char.isalnum())
    return text[:start] + text[start].upper() + text[start + 1 :] + "."


NEGATIVE_KINDS = ("number", "name", "place", "time", "detail", "direction", "negation", "exchange")


def _kind_of(key: str, story: dict) -> str:
    "The kind of negative you get by changing the fact `key`."
    if key in ("direction", "negation"):
        return key
    if key in ("time", "said"):
        return "time"
    kind = story["facts"][key][0]
    if kind in _NAME_KINDS:
        return "name"
    if kind in _PLACE_KINDS:
        return "place"
    if kind in ("month", "quarter"):
        return "time"
    return "detail" if kind in _THINGS and kind != "score" else "number"


def _changes(event: dict, story: dict, told: set[str]) -> dict[str, list[str]]:
    "The possible changes by kind of negative, given the facts that both sentences tell."
    changes = {}
    for key in sorted(told):
        changes.setdefault(_kind_of(key, story), []).append(key)
    if event["swap"] and told.issuperset(event["swap"]):
        changes["exchange"] = ["exchange"]
    return changes


def _differs(old: tuple, new: tuple) -> bool:
    "Whether `new` is clearly another fact than `old`; numbers must be a quarter apart."
    if isinstance(old[1], str) or old[0] == "time":
        return old[1] != new[1]
    return max(old[1], new[1]) >= 1.25 * min(old[1], new[1]) and not set(old[2]) & set(new[2])


def _change(event: dict, story: dict, key: str, names: dict[str, list[str]], rng: random.Random) -> dict:
    "The story with one fact changed."
    if key in ("direction", "negation"):
        return story | {key: 1 - story[key]}
    if key in ("time", "said"):
        kind = event["time"] if key == "time" else "day"
        while not _differs(story[key], new := _time(kind, rng)):
            pass
        return story | {key: new}
    facts = dict(story["facts"])
    if key == "exchange":
        a, b = event["swap"]
        facts[a], facts[b] = facts[b], facts[a]
        return story | {"facts": facts}
    others = {fact[1] for fact in facts.values()}
    while (new := _fact(event["slots"][key], names, rng))[1] in others or not _differs(facts[key], new):
        pass
    return story | {"facts": facts | {key: new}}


def normalise(text: str) -> str:
    "Lower case, no punctuation, single spaces: two sentences that agree in this form count as the same."
    return " ".join(re.sub(r"[^\w\s]", "", text.lower()).split())


_KEEP = (0.0, 0.5, 0.8, 0.9)


def _pair(label: int, names: dict[str, list[str]], tally: dict[str, int], rng: random.Random) -> tuple[str, str, str]:
    "Two sentences with this label, and the kind of negative (`paraphrase` where there is none)."
    event = rng.choice(_grammar()["events"])
    story, keep = _draw(event, names, rng), rng.choice(_KEEP)
    one = _Writer(event, story, rng.getrandbits(32))
    sentence1, seed = one.write(), rng.getrandbits(32)
    two = _Writer(event, story, seed, one.made, keep)
    sentence2 = two.write()
    if normalise(sentence1) == normalise(sentence2):
        return _pair(label, names, tally, rng)
    if label:
        return sentence1, sentence2, "paraphrase"
    changes = _changes(event, story, one.told & two.told)
    kind = min(changes, key=lambda kind: (tally[kind], rng.random()))
    changed = _change(event, story, rng.choice(changes[kind]), names, rng)
    return sentence1, _Writer(event, changed, seed, one.made, keep).write(), kind


def build_with_kinds(
    seed: int = 0, train_size: int = 7200, validation_size: int = 400
) -> dict[str, list[tuple[dict, str]]]:
    """The corpus of `build_paraphrases`, with the kind beside each record: one of `NEGATIVE_KINDS`, or `paraphrase`."""
    sizes, seen, corpus = {"train": train_size, "validation": validation_size}, set(), {}
    for split, size in sizes.items():
        rng, tally, rows = random.Random(f"{split}-{seed}"), dict.fromkeys(NEGATIVE_KINDS, 0), []
        labels = [int(i < round(size * 0.67)) for i in range(size)]
        rng.shuffle(labels)
        for label in labels:
            while True:
                one, two, kind = _pair(label, NAMES[split], tally, rng)
                keys = {normalise(one), normalise(two)}
                if len(keys) == 2 and not keys & seen:
                    break
            seen |= keys
            if not label:
                tally[kind] += 1
            rows.append(({"idx": len(rows), "sentence1": one, "sentence2": two, "label": label}, kind))
        corpus[split] = rows
    return corpus


def build_paraphrases(seed: int = 0, train_size: int = 7200, validation_size: int = 400) -> dict[str, list[dict]]:
    """Write the corpus `mini/paraphrases`: `{"train": records, "validation": records}`.

    A record is `{"idx": int, "sentence1": str, "sentence2": str, "label": int}`; label 1 means that the sentences say
    the same, and two thirds do. The same seed and sizes give the same records. The splits share no name and no sentence."""
    corpus = build_with_kinds(seed, train_size, validation_size)
    return {split: [record for record, _ in rows] for split, rows in corpus.items()}
