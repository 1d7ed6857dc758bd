PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint clean

# Set up once; again only when the requirements change.
.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

demo: .venv/ready  ## transcribe examples/ with the bundled model; look at demo/index.html
	$(BIN)/triscribe transcribe examples/speech -o demo -f txt,srt,json,textgrid --page demo/index.html
	@echo "Open demo/index.html"

test: .venv/ready
	$(BIN)/ruff check .
	$(BIN)/python -m pytest -q

lint: .venv/ready
	$(BIN)/ruff check .

clean:
	rm -rf .venv demo build *.egg-info
