# make demo: read, train and predict the samples in data/   make test: the test suite   make check: linters and types
# Each installs what it needs the first time: tesseract with its languages, and .venv with the package and its extras.

PYTHON ?= python3
BIN := .venv/bin
APT := tesseract-ocr tesseract-ocr-eng tesseract-ocr-ita tesseract-ocr-osd
DEMO := demo
# three test workers on two cores: many tests wait for processes to start and to end
PARALLEL := -n 3 --dist loadfile

.PHONY: demo test test-slow test-endurance check bench sbom tesseract clean

demo: $(BIN)/.installed tesseract
	$(BIN)/textclf ocr data/scans --labels data/labels.csv -o $(DEMO)/documents.csv
	$(BIN)/textclf prepare $(DEMO)/documents.csv --where split=train --group issuer -o $(DEMO)/prepared
	$(BIN)/textclf train $(DEMO)/prepared --max-error 0.2 -o $(DEMO)/model.textclf
	$(BIN)/textclf evaluate $(DEMO)/model.textclf $(DEMO)/documents.csv --where split=test -o $(DEMO)/report --by language --by dpi --by rotation
	$(BIN)/textclf predict $(DEMO)/model.textclf $(DEMO)/documents.csv -o $(DEMO)/predictions.csv
	$(BIN)/textclf classify $(DEMO)/model.textclf data/scans/invoice-01.* data/scans/tax_return-15.* data/scans/other-01.* --why --explain $(DEMO)/why
	@echo "look at $(DEMO)/report/report.html, $(DEMO)/why, $(DEMO)/predictions.csv and $(DEMO)/prepared/datasource.csv"

test: $(BIN)/.installed tesseract
	$(BIN)/python -m pytest $(PARALLEL)

test-slow: $(BIN)/.installed tesseract
	$(BIN)/python -m pytest -m slow $(PARALLEL)

test-endurance: $(BIN)/.installed tesseract
	$(BIN)/python -m pytest -m endurance

check: $(BIN)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(BIN)/.installed tesseract
	for script in benchmarks/bench_*.py; do $(BIN)/python $$script || exit 1; done

# what is installed in .venv, as CycloneDX; the tool has an environment of its own, so that it does not list itself
sbom: $(BIN)/.installed
	$(PYTHON) -m venv build/sbom
	build/sbom/bin/python -m pip install --quiet --disable-pip-version-check 'cyclonedx-bom>=7,<8'
	build/sbom/bin/cyclonedx-py environment --output-reproducible --output-file sbom.cdx.json $(BIN)/python

$(BIN)/.installed: pyproject.toml setup.py $(wildcard features/core/*.[ch])
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { echo "Python cannot make virtual environments: install python3-venv"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[all]'
	@touch $@

tesseract:
	@for language in eng ita osd; do tesseract --list-langs 2>/dev/null | grep -qx $$language || missing=yes; done; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if ! command -v apt-get >/dev/null; then echo "install Tesseract 5 with the languages eng, ita and osd, for example: brew install tesseract tesseract-lang"; exit 1; fi; \
	if [ "$$(id -u)" = 0 ]; then sudo=; else sudo=sudo; fi; \
	$$sudo apt-get update -qq && $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(APT)

clean:
	rm -rf .venv $(DEMO) build dist *.egg-info
