#!/bin/sh
# Make the virtual environment FOLDER with the program (editable) and its development tools: environment.sh FOLDER
set -eu
folder=$1

is_new_enough() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' >/dev/null 2>&1
}

find_python() {
    for name in ${PYTHON:-} python3 python3.13 python3.12 python3.14 python3.11; do
        if is_new_enough "$name"; then
            command -v "$name"
            return
        fi
    done
    echo "Python 3.11 or newer (up to 3.14) is needed and was not found; install it, or name it: make PYTHON=/path/to/python3" >&2
    return 1
}

if ! is_new_enough "$folder/bin/python" || ! "$folder/bin/python" -c 'import pip' >/dev/null 2>&1; then
    python=$(find_python)
    rm -rf "$folder"
    if ! "$python" -c 'import ensurepip, venv' >/dev/null 2>&1; then
        # Debian and Ubuntu keep these two modules in a package of their own.
        version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
        if [ "$(id -u)" = 0 ]; then root=env; else root="sudo -n"; fi
        if ! { command -v apt-get >/dev/null && $root apt-get update -qq &&
            $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "python$version-venv"; } >/dev/null 2>&1; then
            echo "Python $version lacks the module venv; run: sudo apt-get install python$version-venv" >&2
            exit 1
        fi
    fi
    "$python" -m venv "$folder"
fi

# uv installs by hard links from its cache: a second environment on this machine takes seconds and no disk.
if [ ! -x "$folder/bin/uv" ]; then
    "$folder/bin/python" -m pip install --quiet --disable-pip-version-check "uv>=0.7,<1"
fi
for bundle in /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem; do
    # Certificates that this machine trusts, as pip does: some networks bring their own.
    if [ -r "$bundle" ]; then
        export SSL_CERT_FILE="${SSL_CERT_FILE:-$bundle}"
        break
    fi
done
# uv does not read pip's configuration; where that names another package index, pip can do what uv cannot.
"$folder/bin/uv" pip install --python "$folder/bin/python" --editable . --group dev || {
    echo "uv could not install; trying pip" >&2
    "$folder/bin/python" -m pip install --quiet --upgrade "pip>=25.1"
    "$folder/bin/python" -m pip install --editable . --group dev
}
