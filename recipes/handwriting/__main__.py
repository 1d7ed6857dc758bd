"""Run the recipe: `python -m recipes.handwriting`."""

from recipes.handwriting.recipe import main

raise SystemExit(main())
