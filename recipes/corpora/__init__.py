"""The corpora that come with the course: the grammars and selections that wrote them. `python -m recipes.corpora`"""
