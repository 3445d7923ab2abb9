# make demo   the page, on http://127.0.0.1:7860
# make test   every test, the fast ones first
# make lint   style
# Each is complete from a bare clone: packages go to .venv, outside weights to ~/.cache/posegen ($POSEGEN_CACHE).

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
.PHONY: help demo test lint setup gl chromium weights clean

PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)
VENV := .venv
PY := $(VENV)/bin/python
PIP := $(PY) -m pip install --disable-pip-version-check
# Khronos' own, for the tests of GLB.
GLTF_VALIDATOR := gltf-validator@2.0.0-dev.3.10
# What packages.txt installs, as the loader must find it.
LIBRARIES := EGL.so.1 GL.so.1 GLESv2.so.2 gthread-2.0.so.0

help:
	@sed -n 's/^# make/make/p' Makefile

demo: setup
	@$(PY) app.py

test: $(VENV)/.installed-dev setup chromium
	@fast=0 slow=0
	$(PY) -m pytest -n 2 --dist loadfile -m "not slow" || fast=$$?
	[ $$fast != 2 ] || exit 2  # stopped by hand, or a test file that does not import
	$(PY) -m pytest -n 2 --dist loadfile -m slow || slow=$$?
	[ $$slow != 5 ] || slow=0  # 5: there are none
	exit $$((fast ? fast : slow))

lint: $(VENV)/.installed-dev
	@$(PY) -m ruff check .
	$(PY) -m ruff format --check .

setup: gl $(VENV)/.installed weights

$(PY):
	@if [ -z "$(PYTHON)" ]; then
		echo "Python 3.11 or newer is needed: install it, or name one as in make PYTHON=/opt/python3.11/bin/python3" >&2
		exit 1
	fi
	$(PYTHON) -c "import ensurepip, venv" 2>/dev/null || .ci/apt-install python3-venv
	$(PYTHON) -m venv $(VENV)

# awk keeps a line for each package, so that a long installation is seen to move.
$(VENV)/.installed: requirements.txt | $(PY)
	@echo "Installing the packages (some minutes the first time) ..."
	$(PIP) -r requirements.txt | awk '/^(Collecting|Installing)/ { print "  " substr($$0, 1, 100); fflush() }'
	touch $@

$(VENV)/.installed-dev: requirements-dev.txt $(VENV)/.installed
	@echo "Installing the test tools ..."
	$(PIP) --quiet -r requirements-dev.txt
	npm install --silent --no-fund --no-audit --prefix $(VENV)/node $(GLTF_VALIDATOR) 2>/dev/null \
		|| echo "Going on without npm and the glTF validator: its tests will be skipped."
	touch $@

gl: | $(PY)
	@$(PY) -c 'import ctypes, sys; [ctypes.CDLL("lib" + name) for name in sys.argv[1:]]' $(LIBRARIES) 2>/dev/null \
		|| .ci/apt-install $$(cat packages.txt)

chromium:
	@command -v chromium chromium-browser google-chrome >/dev/null || .ci/apt-install chromium \
		|| echo "Going on without Chromium: the browser tests will be skipped."

weights: $(VENV)/.installed
	@$(PY) -m posegen.weights

clean:
	@rm -rf $(VENV) .pytest_cache .ruff_cache out
