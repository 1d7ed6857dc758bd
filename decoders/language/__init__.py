"""What is usual in a language: n-grams, ARPA files, lexicons, hotwords."""
