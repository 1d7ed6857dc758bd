"""Run the recipe: `python -m recipes.asr`."""

from recipes.asr.recipe import main

raise SystemExit(main())
