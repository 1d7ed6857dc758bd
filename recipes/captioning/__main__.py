"""Run the recipe: `python -m recipes.captioning`."""

from recipes.captioning.recipe import main

raise SystemExit(main())
