"""Write `mini/reviews`, a small offline stand-in for IMDb, from a grammar of clauses, plots and moods"""

import itertools
import random
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from course_lib.profiles import CourseError

from . import review_words as words

SIDES = ("train", "validation")


def _deal(items: list, rng: random.Random) -> dict[str, list]:
    "Three quarters of the shuffled items for training, the rest for validation."
    items = rng.sample(items, len(items))
    cut = round(len(items) * 0.75)
    return {"train": items[:cut], "validation": items[cut:]}


def _surnames() -> list[str]:
    "Every pair of syllables that is no known name: `Brann` + `eby`."
    pairs = itertools.product(words.SURNAME_HEADS, words.SURNAME_TAILS)
    return [head + tail for head, tail in pairs if head + tail not in words.SKIPPED_SURNAMES]


_NUMBERS = frozenset("Seven Nine Eleven Twelve Thirteen Fourteen Forty".split())


def _plural(noun: str) -> str:
    "`Echo` -> `Echoes`, `Dynasty` -> `Dynasties`, `Ferryman` -> `Ferrymen`."
    if noun.endswith("man"):
        return noun[:-2] + "en"
    if noun.endswith("y") and noun[-2] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + ("es" if noun.endswith(("s", "x", "z", "sh", "ch", "cho")) else "s")


def _title(pair: tuple[str, str], rng: random.Random) -> str:
    "A title around two words."
    first, last = pair
    if first in _NUMBERS:
        return f"{first} {_plural(last)}"
    if first in words.TITLE_LAST:
        return f"The {first} and the {last}"
    forms = ("The {0} {1}", "The {0} {1}", "{0} {2}", "A {0} {1}", "{0} {1}")
    return fix_articles(rng.choice(forms).format(first, last, _plural(last)))


_CONSONANT_SOUND = r"(?:uni(?![nmd])|us[eu]|eu|one\b|once\b|uk|ut[ie]|ub)"
_VOWEL_SOUND = rf"(?:(?!{_CONSONANT_SOUND})[aeiouàáâäéèíîïóôöúü]|hour|heir|honest|honour|8|1[18](?!\d))"
_ARTICLE = re.compile(rf"\b([Aa]) (?={_VOWEL_SOUND})", re.IGNORECASE)


def fix_articles(text: str) -> str:
    "`a` becomes `an` before a vowel sound: `an hour`, but `a uniform`."
    return _ARTICLE.sub(r"\1n ", text)


@lru_cache(maxsize=1)
def _names() -> dict[str, dict[str, list[str]]]:
    "Side -> kind -> names. Always the same; no seed changes a side."
    rng = random.Random(1895)
    pairs = list(itertools.product(words.TITLE_FIRST, words.TITLE_LAST))
    pairs += itertools.combinations(words.TITLE_LAST, 2)
    kinds = {"she": words.WOMEN, "he": words.MEN, "surname": _surnames(), "title": pairs}
    dealt = {kind: _deal(list(names), rng) for kind, names in kinds.items()}
    for side in SIDES:
        dealt["title"][side] = [_title(pair, rng) for pair in dealt["title"][side]]
    return {side: {kind: dealt[kind][side] for kind in kinds} for side in SIDES}


def names_of(side: str) -> list[str]:
    """Every first name, surname and title of a side, sorted; unlabelled reviews use those of "train"."""
    return sorted({name for names in _names()[side].values() for name in names})


class Pick(NamedTuple):
    "One item of the list `name`."

    name: str


class Fact(NamedTuple):
    "A fact of the film."

    name: str


class Either(NamedTuple):
    "One of `sides`, each a tree."

    sides: list[list]


_MARKS = re.compile(r"\{(\w+)\}|<(\w+)>|([\[|\]])|([^{}<>\[\]|]+)")


def parse(text: str) -> list:
    """The tree of a phrasing: a list of `str`, `Pick`, `Fact` and `Either`.

    Raises `CourseError` where a bracket is left open or closed twice."""
    stack: list[list[list]] = [[[]]]
    for name, fact, mark, plain in _MARKS.findall(text):
        if mark == "[":
            stack.append([[]])
        elif mark == "]" and len(stack) > 1:
            sides = stack.pop()
            stack[-1][-1].append(Either(sides))
        elif mark == "|" and len(stack) > 1:
            stack[-1].append([])
        elif mark:
            raise CourseError(f"{text!r} has a {mark!r} outside brackets. Open a bracket before it.")
        else:
            stack[-1][-1].append(Pick(name) if name else Fact(fact) if fact else plain)
    if len(stack) > 1:
        raise CourseError(f"{text!r} leaves a bracket open. Close it.")
    return stack[0][0]


_FACT_COUNT = 40  # facts differ from film to film; a theme is one of so many, a name one of more


def count(tree: list) -> int:
    "How many sentences a tree can make, roughly."
    total = 1
    for part in tree:
        if isinstance(part, Pick):
            total *= len(_lists()[part.name])
        elif isinstance(part, Fact):
            total *= _FACT_COUNT
        elif isinstance(part, Either):
            total *= sum(count(side) for side in part.sides)
    return total


@lru_cache(maxsize=1)
def _lists() -> dict[str, list[str]]:
    "The lists by name."
    pairs = (line.split(": ", 1) for line in words._LISTS.splitlines() if line)
    return {name: items.split("; ") for name, items in pairs}


class Phrasing(NamedTuple):
    "A parsed line of the grammar."

    tree: list
    text: str
    weight: float  # how often it is drawn, compared with its neighbours
    facts: frozenset[str]  # the facts it mentions
    played: bool  # speaks of actors and characters, which a documentary does not have


_ENOUGH = 400  # sentences that a phrasing must be able to make to be drawn as often as any other


def _phrasing(text: str) -> Phrasing:
    tree = parse(text)
    played = re.search(r"\b(cast|acting|actors?|hero|characters?|performance)\b", text) is not None
    return Phrasing(tree, text, min(1.0, count(tree) / _ENOUGH), frozenset(re.findall(r"<(\w+)>", text)), played)


def _sections(text: str) -> Iterator[tuple[str, dict[str, list[Phrasing]]]]:
    "Heading and its phrasings by their first character, section by section."
    for block in re.split(r"(?m)^# ", text.strip())[1:]:
        heading, *lines = block.strip().splitlines()
        found: dict[str, list[Phrasing]] = {}
        for line in filter(None, lines):
            found.setdefault(line[0], []).append(_phrasing(line[2:]))
        yield heading, found


@lru_cache(maxsize=1)
def _grammar() -> dict[str, Any]:
    "The parsed grammar: genres, aspects, openings, remarks and verdicts."
    genres = [(*heading.split(": ", 1), lines) for heading, lines in _sections(words._GENRES)]
    aspects = []
    for heading, lines in _sections(words._ASPECTS):
        name, _, conditions = heading.partition(" | ")
        aspects.append((name, frozenset(conditions.split()), lines))
    whole = {"opening": words._OPENINGS, "remark": words._REMARKS, "verdict": words._VERDICTS}
    whole_parsed = {name: {h: lines["~"] for h, lines in _sections(text)} for name, text in whole.items()}
    return {"genres": genres, "aspects": aspects, **whole_parsed}


_ONCE = ("obj", "beast", "building", "monster", "sport", "era", "land")  # a film has one of each
_LIST_OF = {"obj": "object", "J": "job", "K": "job", "ins": "instrument"}
_TOLD_ONCE = frozenset({"min", "score", "K"})
_PRONOUNS, _PLAYED = frozenset({"he", "him", "his"}), frozenset("LSVCDWJK")
_SPECTACLE = frozenset({"scifi", "adventure", "horror", "war"})
_FILM_NOUNS = {
    "formal": ("film", "film", "film", "picture", "feature", "production"),
    "plain": ("film", "film", "movie", "movie", "story"),
    "chatty": ("movie", "movie", "movie", "film", "flick"),
}


class Film:
    "The facts of one film, the names already mentioned, and the words already used in its review."

    def __init__(self, side: str, label: int, mixed: bool, register: str, rng: random.Random) -> None:
        names, lists = _names()[side], _lists()
        self.side, self.rng, self.register = side, rng, register
        self.genre, kinds, self.plots = rng.choice(_grammar()["genres"])
        self.facts = {name: rng.choice(lists[_LIST_OF.get(name, name)]) for name in _ONCE}
        self.facts["J"], self.facts["K"] = rng.sample(lists["job"], 2)
        self.choices = {"theme": rng.sample(lists["theme"], 2), "ins": rng.sample(lists["instrument"], 2)}
        self.choices |= {"kind": [kinds.split("; ")[0], *kinds.split("; ")], "film": list(_FILM_NOUNS[register])}
        self.minutes, self.year = rng.randint(74, 181), rng.choice((rng.randint(1931, 1979), rng.randint(1980, 2023)))
        self.facts |= {"min": str(self.minutes), "year": str(self.year), "T": rng.choice(names["title"])}
        self.facts["score"] = _score(label, mixed, rng)
        self.quote = '"' if rng.random() < 0.4 else ""
        self.people, self.mentioned, self.used = self._cast(names), set(), set()

    def _cast(self, names: dict[str, list[str]]) -> dict[str, tuple[str, str]]:
        "First name and surname by letter; the people who play `C` and `D` agree with them, and no name comes twice."
        rng, sex = self.rng, {letter: self.rng.choice(("she", "he")) for letter in "CDVRWMP"}
        sex |= {"L": sex["C"], "S": sex["D"]}
        first = {kind: iter(rng.sample(names[kind], 9)) for kind in ("she", "he")}
        last = iter(rng.sample(names["surname"], 9))
        for letter, prefix in (("C", ""), ("D", "d")):
            he = sex[letter] == "he"
            self.facts |= {f"{prefix}he": "he" if he else "she", f"{prefix}him": "him" if he else "her"}
            self.facts[f"{prefix}his"] = "his" if he else "her"
        return {letter: (next(first[sex[letter]]), next(last)) for letter in "CDLSVRWMP"}

    def fact(self, name: str) -> str:
        "How the review calls this fact now: in full at first, by the surname later."
        if name in self.people:
            first, last = self.people[name]
            again = name in self.mentioned
            self.mentioned.add(name)
            return first if name in "CD" else last if again else f"{first} {last}"
        if name in _TOLD_ONCE:
            self.mentioned.add(name)
        if name in ("O", "X"):  # another film
            title = self.rng.choice(_names()[self.side]["title"])
            return f"{self.quote}{title}{self.quote}"
        if name == "T":
            return f"{self.quote}{self.facts['T']}{self.quote}"
        if name == "films":
            return _plural(self.rng.choice(self.choices["film"]))
        return self.rng.choice(self.choices[name]) if name in self.choices else self.facts[name]

    def knows(self, phrasing: Phrasing) -> bool:
        "Whether the film has what the phrasing mentions, and whether a pronoun has someone to stand for."
        facts = phrasing.facts
        if facts & _PRONOUNS and not facts & {"C", "L"} and ("C" not in self.mentioned or "D" in self.mentioned):
            return False
        if facts & _TOLD_ONCE & self.mentioned:
            return False
        if self.genre == "documentary":
            return not facts & _PLAYED and not phrasing.played
        return self.genre != "animation" or not facts & {"V", "J"}


_NUMERALS = "zero one two three four five six seven eight nine ten".split()


def _score(label: int, mixed: bool, rng: random.Random) -> str:
    "A rating: 6 to 10 for label 1, 1 to 5 for label 0, near the middle if the review is mixed."
    ranges = {(1, False): (8, 10), (1, True): (6, 7), (0, False): (1, 3), (0, True): (4, 5)}
    points = rng.randint(*ranges[label, mixed])
    form = rng.choice(
        ("{0}/10", "{0} out of 10", "{1} out of ten", "{1} points out of ten", "a {0}", "{1} out of 10 stars")
    )
    if points % 2 == 0 and rng.random() < 0.3:
        form, points = "{1} stars out of five", points // 2
    return form.format(points, _NUMERALS[points]).replace("one points", "one point").replace("one stars", "one star")


def write(tree: list, film: Film) -> str:
    "One of the sentences that the tree can make, with the film's facts; list items are not used twice in a review."
    parts: list[str] = []
    for part in tree:
        if isinstance(part, str):
            parts.append(part)
        elif isinstance(part, Pick):
            items = _lists()[part.name]
            for _ in range(6):
                item = film.rng.choice(items)
                if item not in film.used:
                    break
            film.used.add(item)
            parts.append(item)
        elif isinstance(part, Fact):
            parts.append(film.fact(part.name))
        else:
            parts.append(write(film.rng.choice(part.sides), film))
    return "".join(parts)


_LONG_FORMS = [
    (re.compile(rf"\b{short}\b", re.IGNORECASE), long)
    for short, long in (
        ("can't", "cannot"), ("won't", "will not"), (r"(\w+)n't", r"\1 not"), ("I'm", "I am"), ("I'd rather", "I would rather"),
        ("I'd", "I would"), (r"(\w+)'ll", r"\1 will"), (r"(\w+)'ve", r"\1 have"), (r"(\w+)'re", r"\1 are"),
        (r"(it|that|there|what|who|here|nobody|everybody|where|money|day)'s(?! (?:script|screenplay|kin))", r"\1 is"),
        ("let's", "let us"),
    )
]  # fmt: skip
_INTERJECTIONS = (
    "Honestly, ",
    "Look, ",
    "OK, ",
    "Wow, ",
    "Seriously, ",
    "Believe me, ",
    "Well, ",
    "Man, ",
    "Trust me, ",
)


def finish(text: str, film: Film, excited: bool = False) -> str:
    "Capital, article, register and full stop."
    if film.register == "formal" and "'" in text:
        for short, long in _LONG_FORMS:
            text = short.sub(long, text)
    elif film.register == "chatty" and excited and film.rng.random() < 0.3:
        text = film.rng.choice(_INTERJECTIONS) + text
    text = fix_articles(" ".join(text.split()))
    start = 1 if text[0] == '"' else 0
    text = text[:start] + text[start].upper() + text[start + 1 :]
    if text[-1] in "?!":
        return text
    return text + ("!" if excited and film.register == "chatty" and film.rng.random() < 0.3 else ".")


_BREAK = "<br /><br />"
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|(?:<br />)+")


def normalise(text: str) -> str:
    "Lower case, no punctuation, single spaces."
    return " ".join(re.sub(r"[^\w\s]", " ", text.lower()).split())


def sentences_of(text: str) -> list[str]:
    "The sentences of a review, without paragraph breaks."
    return [part.strip() for part in _SENTENCE_END.split(text) if part.strip()]


class Repeats(Exception):
    "The grammar found no new sentence in many draws."


def _new_sentence(phrasings: list[Phrasing], film: Film, seen: set[str], excited: bool = False) -> str:
    "A finished sentence of one of the phrasings that is not in `seen`. Raises `Repeats` if there is none in 40 draws."
    fitting = [p for p in phrasings if p.text not in film.used and film.knows(p)]
    weights = list(itertools.accumulate(p.weight for p in fitting))
    for _ in range(40 if fitting else 0):
        phrasing = film.rng.choices(fitting, cum_weights=weights)[0]
        mentioned = set(film.mentioned)
        text = finish(write(phrasing.tree, film), film, excited)
        if normalise(text) not in seen:
            film.used.add(phrasing.text)
            return text
        film.mentioned = mentioned
    raise Repeats


_SPARE = frozenset(
    "support direction dialogue photography music editing long short design sound effects ending voices".split()
)
_LEADS = {
    "+": ("best of all, ", "happily, ", "luckily, ", "it helps that ", "I'm glad to report that ", "for me, ", "to my mind, ",
          "as far as I'm concerned, ", "I have to say that ", "you can't deny that "),
    "-": ("worst of all, ", "sadly, ", "unfortunately, ", "the trouble is that ", "it doesn't help that ", "I'm sorry to say that ",
          "for me, ", "to my mind, ", "as far as I'm concerned, ", "I have to say that "),
}  # fmt: skip
_ADMIT = {
    "+": ("to be fair, ", "admittedly, ", "on the credit side, ", "I'll give it this much: ", "the one good thing is that ", "granted, "),
    "-": ("admittedly, ", "if I have one complaint, it's that ", "my only quibble is that ", "true, ", "on the other hand, ", "granted, "),
}  # fmt: skip

_CONTRASTS = ("although {0}, {1}", "{0}, but {1}", "even if {0}, {1}", "{1}, even if {0}", "{1}, although {0}",
              "while {0}, {1}", "yes, {0}, but {1}", "{0}, and yet {1}", "it may be that {0}, but {1}")  # fmt: skip
_PAIRS = ("{0}, and {1}", "{0}, and {1}", "{0}; {1}", "not only that: {0}, and {1}", "{0}, while {1}")
_OTHER = {"+": "-", "-": "+"}


def _conditions(film: Film) -> frozenset[str]:
    "What holds of the film, in the words of the grammar's headings."
    played, year, minutes = film.genre not in ("animation", "documentary"), film.year, film.minutes
    tests = {
        "live": played, "fiction": film.genre != "documentary", "camera": film.genre != "animation",
        "animation": film.genre == "animation", "old": year < 1962 and film.genre != "animation", "early": year < 1990,
        "new": year >= 1996, "long": minutes >= 120, "short": minutes <= 95, "spectacle": film.genre in _SPECTACLE,
    }  # fmt: skip
    return frozenset(name for name, holds in tests.items() if holds)


class Opinions:
    "Clauses about the film, no aspect twice."

    def __init__(self, film: Film) -> None:
        self.film, holds = film, _conditions(film)
        self.aspects = [(name, lines) for name, needed, lines in _grammar()["aspects"] if needed <= holds]
        self.aspects += [("genre", film.plots), ("genre again", film.plots)]
        film.rng.shuffle(self.aspects)

    def clause(self, mark: str, spare: bool = False) -> str:
        "A clause that praises (`+`) or blames (`-`). Raises `Repeats` if every aspect has been talked about."
        film = self.film
        for number, (name, lines) in enumerate(self.aspects):
            if spare and name not in _SPARE:
                continue
            fitting = [p for p in lines[mark] if p.text not in film.used and film.knows(p)]
            if fitting:
                del self.aspects[number]
                phrasing = film.rng.choices(fitting, [p.weight for p in fitting])[0]
                film.used.add(phrasing.text)
                return write(phrasing.tree, film)
        raise Repeats

    def sentence(self, mark: str, mixed: bool, conceded: int, first: bool, seen: set[str]) -> tuple[str, int]:
        "A new sentence, and how many concessions it makes."
        film = self.film
        while True:
            chance, spoken = film.rng.random(), set(film.mentioned)
            limit, share = (2, 0.4) if mixed else (1, 0.15)
            give = int(conceded < limit and chance < share)
            text = self._text(mark, chance, give, first)
            text = finish(text, film)
            if normalise(text) not in seen:
                return text, give
            film.mentioned = spoken

    def _text(self, mark: str, chance: float, give: int, first: bool) -> str:
        rng = self.film.rng
        if give and chance < 0.05:
            return rng.choice(_ADMIT[_OTHER[mark]]) + self.clause(_OTHER[mark], spare=True)
        if give:
            form = rng.choice(_CONTRASTS)
            sides = (self.clause(_OTHER[mark], spare=True), self.clause(mark))
            return form.format(*sides)
        if chance > 0.72:
            return rng.choice(_PAIRS[: 3 if first else None]).format(self.clause(mark), self.clause(mark))
        lead = rng.choice(_LEADS[mark]) if rng.random() < 0.3 else ""
        return lead + self.clause(mark)


WORDS = (40, 150)  # fewest and most words of a review
_MOODS = ("negative", "positive")  # by label


def _word_count(text: str) -> int:
    "Words between white space, paragraph breaks left out."
    return len(text.replace(_BREAK, " ").split())


def _plot(film: Film, long: bool, seen: set[str]) -> list[str]:
    "How the film begins and, in a long review, how it goes on."
    turns = film.rng.choice((0, 1, 1, 2)) if long else 0
    return [_new_sentence(film.plots[kind], film, seen) for kind in [">", *"~" * turns]]


def _opinions(film: Film, label: int, mixed: bool, budget: int, seen: set[str]) -> list[str]:
    "Opinions that agree with the label on the whole, and sometimes a remark, until `budget` words are spent."
    opinions, conceded, sentences, remark = Opinions(film), 0, [], film.rng.random() < 0.45
    while not sentences or sum(map(_word_count, sentences)) < budget:
        if remark and film.rng.random() < 0.35:
            sentences.append(_new_sentence(_grammar()["remark"][_MOODS[label]], film, seen, True))
            remark = False
            continue
        text, give = opinions.sentence("-+"[label], mixed, conceded, not sentences, seen)
        sentences.append(text)
        conceded += give
    return sentences


_REGISTERS = ("formal", "plain", "plain", "chatty")
_VERDICT_WORDS = 14  # about as many as a verdict has


def _draft(side: str, label: int, seen: set[str], rng: random.Random) -> list[str]:
    "The paragraphs of a review: opening and plot, opinions, verdict. Raises `Repeats` if the grammar runs dry."
    mixed, grammar, mood = rng.random() < 0.4, _grammar(), _MOODS[label]
    film, target = Film(side, label, mixed, rng.choice(_REGISTERS), rng), rng.triangular(45, 145, 85)
    first = []
    if rng.random() < 0.88:
        kind = rng.choice(("any", mood, mood))
        first.append(_new_sentence(grammar["opening"][kind], film, seen, kind == mood))
    if rng.random() < 0.85:
        first += _plot(film, target > 60, seen)
    budget = round(target) - sum(map(_word_count, first)) - _VERDICT_WORDS
    middle, last = _opinions(film, label, mixed, budget, seen), []
    if rng.random() < 0.93:
        tone = f"mixed {mood}" if mixed and rng.random() < 0.6 else mood
        last.append(_new_sentence(grammar["verdict"][tone], film, seen, True))
    return [" ".join(sentences) for sentences in (first, middle, last) if sentences]


def _review(side: str, label: int, seen: set[str], rng: random.Random) -> str:
    "A review of a fit length whose sentences are all new; they are added to `seen`."
    for _ in range(200):
        try:
            paragraphs = _draft(side, label, seen, rng)
        except Repeats:
            continue
        text = (_BREAK if rng.random() < 0.2 else " ").join(paragraphs)
        plain = [normalise(sentence) for sentence in sentences_of(text)]
        if WORDS[0] <= _word_count(text) <= WORDS[1] and seen.isdisjoint(plain) and len(set(plain)) == len(plain):
            seen.update(plain)
            return text
    raise CourseError("The grammar has no new review left. Ask for fewer.")


def build_reviews(
    seed: int = 0, train_size: int = 2400, validation_size: int = 400, unlabelled_size: int = 800
) -> dict[str, list[dict[str, Any]]]:
    """Write the corpus `mini/reviews`: `{"train": records, "validation": records, "unsupervised": records}`.

    A record is `{"text": str, "label": int}`; label 1 is a positive review, and half of them are. Unlabelled records have
    no label. A text has 40 to 150 words. The same seed and sizes give the same records on every machine. No sentence
    comes twice, and no name or title of validation is in train or unlabelled."""
    sizes = {"validation": validation_size, "train": train_size, "unlabelled": unlabelled_size}
    seen: set[str] = set()
    corpus: dict[str, list[dict[str, Any]]] = {}
    for split, size in sizes.items():
        rng, side = random.Random(f"{seed}-{split}"), "validation" if split == "validation" else "train"
        labels = [number % 2 for number in range(size)]
        rng.shuffle(labels)
        corpus[split] = [{"text": _review(side, label, seen, rng), "label": label} for label in labels]
    unsupervised = [{"text": record["text"]} for record in corpus["unlabelled"]]
    return {"train": corpus["train"], "validation": corpus["validation"], "unsupervised": unsupervised}
