"""Knowledge of a language for the search: n-grams, ARPA files, lexicons, hotwords."""
