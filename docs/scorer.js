// Chapters come first among what a search has found, then the glossary. The numbers below `score` are Sphinx's own.
var Scorer = {
  score: ([docname, title, anchor, descr, score]) =>
    score + (docname.startsWith("nbs/0") ? 20 : docname === "docs/glossary" ? 12 : 0),
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
