#!/usr/bin/env bash
# Brings the tools that nobody here wrote into a folder, for the tests in tests/oracles. Each stands alone: one that
# cannot be had is left out with a sentence, and its tests skip. What is there already stays as it is.
# Usage: tests/oracles/install.sh <folder>
set -uo pipefail
folder="${1:?which folder?}"
mkdir -p "$folder"
log="$folder/install.log"

debian_updated=
# debian <package>…: install Debian packages if we may. Quick to give up where there is no network.
debian() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
  local patience=(-qq -o Acquire::Retries=1 -o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20)
  if [ -z "$debian_updated" ]; then
    apt-get update "${patience[@]}" >>"$log" 2>&1 || return 1
    debian_updated=yes
  fi
  DEBIAN_FRONTEND=noninteractive apt-get install -y "${patience[@]}" --no-install-recommends "$@" >>"$log" 2>&1
}

# Go's own note and tlog, as Debian packs them.
gopath=/usr/share/gocode/src/golang.org/x/mod/sumdb
if ! command -v go >/dev/null || [ ! -d "$gopath/tlog" ] || [ ! -d "$gopath/note" ]; then
  echo "· Installing Go and its sumdb library from Debian, which shall read the ledger too"
  debian golang-go golang-golang-x-mod-dev ||
    echo "  Left out: golang-go and golang-golang-x-mod-dev could not be installed. ($log says why.)"
fi

# Node's WebCrypto, and the reference implementation of RFC 8785.
canonicalize=canonicalize@3.0.0
if ! command -v node >/dev/null; then
  echo "· Installing Node from Debian, whose WebCrypto shall check signatures too"
  debian nodejs || echo "  Left out: nodejs could not be installed. ($log says why.)"
fi
if [ ! -f "$folder/node_modules/canonicalize/lib/canonicalize.js" ] && command -v node >/dev/null; then
  echo "· Fetching npm's canonicalize, which shall write entries too"
  command -v npm >/dev/null || debian npm
  npm install --prefix "$folder" --no-save --no-audit --no-fund --ignore-scripts \
    --fetch-timeout=20000 --fetch-retries=1 "$canonicalize" >>"$log" 2>&1 ||
    echo "  Left out: $canonicalize could not be fetched with npm. ($log says why.)"
fi

# What looks over our pages the way a screen reader's user would have to.
axe=axe-core@4.14.1
if [ ! -f "$folder/axe/node_modules/axe-core/axe.min.js" ]; then
  echo "· Fetching npm's axe-core, which shall look for what shuts people out of our pages"
  command -v npm >/dev/null || debian npm
  # In a folder of its own: without a package.json npm takes away what it was not asked for.
  npm install --prefix "$folder/axe" --no-save --no-audit --no-fund --ignore-scripts \
    --fetch-timeout=20000 --fetch-retries=1 "$axe" >>"$log" 2>&1 ||
    echo "  Left out: $axe could not be fetched with npm. ($log says why.)"
fi

# Who prints GS1 Digital Links as QR codes, and refuses to print what is none.
bwip=bwip-js@4.11.4
if [ ! -f "$folder/bwip/node_modules/bwip-js/package.json" ] && command -v node >/dev/null; then
  echo "· Fetching npm's bwip-js, which shall judge our Digital Links"
  command -v npm >/dev/null || debian npm
  npm install --prefix "$folder/bwip" --no-save --no-audit --no-fund --ignore-scripts \
    --fetch-timeout=20000 --fetch-retries=1 "$bwip" >>"$log" 2>&1 ||
    echo "  Left out: $bwip could not be fetched with npm. ($log says why.)"
fi

# A witness of another hand. It asks for Python 3.12 but runs on 3.11; what it needs besides is in .venv.
python="$(dirname "${BASH_SOURCE[0]}")/../../.venv/bin/python"
if [ ! -f "$folder/aics/aics_witness/cli.py" ]; then
  echo "· Fetching PyPI's aics-witness, which shall cosign the ledger"
  rm -rf "$folder/aics"
  "$python" -m pip install -qq --disable-pip-version-check --no-input --timeout 20 --retries 1 --no-deps \
    --ignore-requires-python --target "$folder/aics" aics-witness==0.1.0 aics-tlog==0.2.1 >>"$log" 2>&1 ||
    { rm -rf "$folder/aics"; echo "  Left out: aics-witness could not be fetched with pip. ($log says why.)"; }
fi

# GS1 Germany's generator of event hashes, in an environment of its own: it brings a JSON-LD processor along.
if [ ! -f "$folder/epcis/installed" ]; then
  echo "· Fetching PyPI's epcis-event-hash-generator, which shall hash events too"
  rm -rf "$folder/epcis"
  { "$python" -m venv "$folder/epcis" &&
    "$folder/epcis/bin/python" -m pip install -qq --disable-pip-version-check --no-input --timeout 20 --retries 1 \
      --no-deps epcis-event-hash-generator==1.9.3 PyLD==3.3.0 python-dateutil==4.0.0 cachetools==7.2.1 \
      frozendict==2.5.1 lxml==6.1.3 six==1.17.0 && touch "$folder/epcis/installed"; } >>"$log" 2>&1 ||
    { rm -rf "$folder/epcis"; echo "  Left out: epcis-event-hash-generator could not be fetched with pip. ($log says why.)"; }
fi

# Whatever could not be had does not stop the suite.
exit 0
