# The village's commands; `make` alone lists them. They need bash and Python 3.11; everything else goes into .venv.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.SILENT:
.DEFAULT_GOAL := help
.PHONY: help run test check bench soak pictures

PY := .venv/bin/python
# Every process that starts would else compile the house anew where Python was told to write nothing by itself.
COMPILED := $(PY) -m compileall -q wsgi.py village trace batches shop
FLASK := $(PY) -m flask --app wsgi
PIP := $(PY) -m pip install -qq --disable-pip-version-check --no-input
export PIP_ROOT_USER_ACTION := ignore

help:
	echo "make run     a demo village on http://127.0.0.1:8000 (PORT=… for another)"
	echo "make test    the whole suite: SQLite, PostgreSQL, real browser"
	echo "make check   lint, types, import contract, translations"
	echo "make bench   the figures, into docs/bench.md and docs/bench.svg"
	echo "make pictures  photographs today's pages into docs/pictures"
	echo "make soak    the long tests (SOAK=20 times the short ones), reported in .make/soak.txt"

# Python itself. Debian ships venv apart from Python, so it is asked for by name.
.venv/made:
	for python in "$${PYTHON:-python3.11}" python3; do
	  "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break || python=
	done
	[ -n "$$python" ] || { echo "Soi needs Python 3.11 or newer as python3.11 or python3; on Debian: apt install python3 python3-venv." >&2; exit 1; }
	"$$python" -c 'import ensurepip, venv' 2>/dev/null || { echo "$$python has no venv module; on Debian: apt install python3-venv." >&2; exit 1; }
	echo "· Making a virtual environment in .venv with $$("$$python" --version)"
	"$$python" -m venv .venv
	touch $@

# What is installed for whom. Each is done again only when setup.cfg changed.
.venv/for-run: setup.cfg .venv/made
	echo "· Installing what the village needs (a minute the first time)"
	$(PIP) .
	rm -rf build soi.egg-info
	touch $@

.venv/for-test: setup.cfg .venv/made
	echo "· Installing what the village and its tests need (a minute or two the first time)"
	$(PIP) ".[test]"
	rm -rf build soi.egg-info
	touch $@ .venv/for-run

.venv/for-check: setup.cfg .venv/made
	echo "· Installing what the village, its tests and its checks need (a minute or two the first time)"
	$(PIP) ".[test,dev]"
	rm -rf build soi.egg-info
	touch $@ .venv/for-run .venv/for-test

run: .venv/for-run
	$(COMPILED)
	export PORT="$${PORT:-8000}"
	export TRAINING_PORT="$${TRAINING_PORT:-$$((PORT + 1))}"
	$(PY) -c 'import os, socket; s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind((os.environ.get("HOST", "127.0.0.1"), int(os.environ["PORT"])))' 2>/dev/null \
	  || { echo "Port $$PORT is taken or no port at all; free it, or choose another: make run PORT=8001." >&2; exit 1; }
	echo "· Bringing the database up to date"
	$(FLASK) db upgrade
	echo "· Settling the demo village"
	$(FLASK) demo
	echo "· Serving the village on http://127.0.0.1:$$PORT (Ctrl-C stops it)"
	exec $(PY) -m gunicorn -c village/web/gunicorn.py

# Chromium, pdftoppm and zbarimg are Debian's: nothing that pip brings shows a page as a phone would, or reads a label
# as another reader does.
.make/browser:
	mkdir -p .make
	missing=
	command -v chromium >/dev/null || missing="chromium"
	command -v pdftoppm >/dev/null || missing="$$missing poppler-utils"
	command -v zbarimg >/dev/null || missing="$$missing zbar-tools"
	if [ -n "$$missing" ]; then
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
	    echo "· Installing $$missing from Debian"
	    apt-get update -qq
	    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >.make/apt.log 2>&1 \
	      || { tail -5 .make/apt.log >&2; echo "Debian could not install $$missing; .make/apt.log says why." >&2; exit 1; }
	  else
	    echo "The tests need$${missing:+ $$missing}: on Debian, sudo apt install $$missing." >&2
	    exit 1
	  fi
	fi

# Tools that nobody here wrote, which read the ledger too. One that cannot be had is left out, and its tests skip;
# rm -r .make/oracles to try again.
.make/oracles/installed: tests/oracles/install.sh | .venv/for-test
	bash tests/oracles/install.sh .make/oracles
	touch $@

# .make/browser is never made, so that a browser taken away is noticed.
test: .venv/for-test .make/browser .make/oracles/installed
	$(COMPILED)
	echo "· The suite on SQLite"
	$(PY) -m pytest -n 2 $(ARGS)
	echo "· What touches the database again, on PostgreSQL"
	$(PY) -m pytest -n 2 --db postgresql -m "not slow_once and not browser" $(ARGS)

check: .venv/for-check
	echo "· ruff"
	$(PY) -m ruff check .
	echo "· mypy"
	$(PY) -m mypy
	echo "· Import contract"
	$(PY) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()'
	echo "· Translations"
	$(PY) -m pytest tests/test_translations.py

bench: .venv/for-test
	$(PY) -m tests.bench
	echo "· The ledger at 1k, 100k and 1M entries, beside its limits and a peer"
	$(PY) -m tests.bench.ledger
	echo "· The graph of a million lots, a season in a sheet, a hundred sensors"
	$(PY) -m tests.bench.lots
	$(PY) -m tests.bench.sheets
	$(PY) -m tests.bench.sensors
	echo "· The shop beside a peer, and with 200,000 orders in its past"
	$(PY) -m tests.bench.shop
	echo "· Reading a livestream's comments: how fast, and a million that nobody would write"
	$(PY) -m tests.bench.parser
	echo "· Livestreams: how fast comments become orders, and a whole evening (twice ten minutes)"
	$(PY) -m tests.bench.live
	$(PY) -m tests.bench.evening

soak: .venv/for-test .make/oracles/installed
	mkdir -p .make
	for db in sqlite postgresql; do
	  echo "· The long tests on $$db"
	  SOAK="$${SOAK:-20}" $(PY) -m pytest -m processes --db $$db --durations=0 -vv $(ARGS)
	done | tee .make/soak.txt
	# Each run ends by saying how much was killed, tried and kept: "200 kills on sqlite".
	{ echo; echo "· In all"; grep -E '^[0-9,]+ [a-z]' .make/soak.txt; } | tee -a .make/soak.txt

pictures: .venv/for-test .make/browser
	$(PY) -m tests.e2e.pictures
	$(PY) -m pytest tests/e2e --pictures
