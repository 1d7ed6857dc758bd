"""Run the recipe: `python -m recipes.action`."""

from recipes.action.recipe import main

raise SystemExit(main())
