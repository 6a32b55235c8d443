"Corpora that the course brings itself, one module each."
