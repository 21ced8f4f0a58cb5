# Two commands do all set-up on a fresh machine with Python 3.11 or later:
#   make demo   runs the main job and names the page that shows it
#   make test   runs the quick tests
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo test test-all bench parity faces lint types docs site wheel clean

# Each stamp stands for an installed set of dependencies; a changed pyproject.toml makes it anew.
$(VENV)/run.stamp: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "InnerEar needs Python 3.11 or later; name one: make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) -e '.[yamnet,speech,whisper]'
	@touch $@

$(VENV)/dev.stamp: $(VENV)/run.stamp
	$(PIP) -e '.[yamnet,speech,whisper,openai,clap,listen,test,dev]'
	@touch $@

demo: $(VENV)/run.stamp
	$(BIN)/innerear weights pull || echo 'Continuing without the weights that could not be fetched; the report says which.'
	$(BIN)/innerear run --suite 2/core --model recorded/one-shot --model baseline/silence --model baseline/noise \
		--model baseline/sine --out runs/demo

test: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -n 2 --dist loadgroup

# The long ones: attacks on the jail, soak, a real browser (Debian's chromium; without it they are
# skipped and counted), a Ray cluster of this machine and a local S3 server, which are installed.
test-all: $(VENV)/dev.stamp
	$(PIP) -e '.[ray,s3]' 'aiobotocore[boto3]>=3' 'moto[s3]>=5.2' flask flask-cors  # of one botocore
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m slow

# The quick half of bench/README.md; a peer that is not installed is named in a line.
bench: $(VENV)/dev.stamp
	@for each in copies asking realism distances jail; do \
		echo "== $$each"; OMP_NUM_THREADS=1 $(BIN)/python bench/$$each.py --quick || exit 1; done
	$(BIN)/python bench/cost.py --things 20000

# Our networks beside their reference implementations; installs PyTorch and transformers. The package
# aisfx pins a NumPy of 2022, so it comes without what it depends on.
parity: $(VENV)/dev.stamp
	$(PIP) -e '.[export]' librosa tqdm
	$(PIP) --no-deps aisfx==0.1.2
	$(BIN)/python -m pytest -m 'slow or not slow' tests/parity tests/test_embed_network.py

# Inspect, and the hub behind a stand-in for it. Two rules of the linter are for other packages: an eval.yaml of the
# collection inspect_evals, and Inspect's public names, of which one that we need is missing.
faces: $(VENV)/dev.stamp
	$(PIP) -e '.[inspect,hub]' 'inspect-evals-lint==0.12.0'
	$(BIN)/inspect-evals-lint --root . --preset single-eval --task src/innerear/inspect/tasks.py \
		--ignore eval_yaml,private_api_imports
	$(BIN)/python -m pytest -n 2 --dist loadgroup -m 'slow or not slow' tests/test_inspect.py tests/test_hub.py

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(VENV)/dev.stamp
	$(BIN)/mypy

docs: $(VENV)/dev.stamp site
	$(BIN)/python -m pytest -q tests/test_docs.py

# The documentation as a site, in site/.
site: $(VENV)/dev.stamp
	$(PIP) -e '.[docs]'
	$(BIN)/python -m mkdocs build --strict --quiet --site-dir site

# What a release uploads, in dist/; the wheel is installed outside the checkout and plays a part of the demo.
wheel: $(VENV)/dev.stamp
	$(PIP) -e '.[release]'
	rm -rf dist
	$(BIN)/python -m build --outdir dist >/dev/null
	$(BIN)/twine check --strict dist/*
	$(BIN)/python scripts/from_wheel.py dist/*.whl

clean:
	rm -rf $(VENV) runs dist site
