"""Run the recipe: `python -m recipes.ink`."""

from recipes.ink.recipe import main

raise SystemExit(main())
