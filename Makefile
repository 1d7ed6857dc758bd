PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test lint clean

# Set up once; again only when the requirements change.
.venv/ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

demo: .venv/ready  ## recognise examples/ with the bundled models into demo/, and compare with the truth
	$(BIN)/triscribe transcribe examples/speech -o demo/speech -f txt,srt,json,textgrid --page demo/speech.html
	$(BIN)/triscribe recognize examples/handwriting -o demo/handwriting -f txt,json,page,alto,hocr \
		--page demo/handwriting.html
	$(BIN)/triscribe recognize examples/video -o demo/video -f txt,json,mp4,png
	$(BIN)/triscribe caption examples/pictures -o demo/pictures -f txt,json,png
	$(BIN)/triscribe classify examples/text/*.tsv -m intents-en -o demo/text -f txt,json,html
	$(BIN)/triscribe annotate examples/signals/*.csv -m ecg-waves -o demo/signals -f txt,json,atr,png
	@$(BIN)/python examples/compare.py demo
	@echo "shakespeare-en writes:"
	@$(BIN)/triscribe generate "My lord, " --length 120 --seed 3
	@echo "Open demo/speech.html and demo/handwriting.html; look into demo/video, demo/pictures, demo/text and demo/signals"

test: .venv/ready  ## in as many processes as there are cores, at most 4
	$(BIN)/ruff check .
	$(BIN)/python -m pytest -q -n auto --maxprocesses 4 --dist loadfile

lint: .venv/ready
	$(BIN)/ruff check .

clean:
	rm -rf .venv demo build *.egg-info
