#!/bin/sh
# Installs Restate's server, and prints the path of its program.
# usage: install-server.sh FOLDER   FOLDER is any scratch folder
set -eu
mkdir -p "$1"
cd "$1"
[ -d node_modules/@restatedev ] || npm install --prefix . --ignore-scripts --no-audit --no-fund @restatedev/restate-server@1.7.12 >install.log 2>&1 \
  || { cat install.log >&2; exit 1; }
# The command of the package is a script around this program: it could not be killed as one.
ls "$PWD"/node_modules/@restatedev/restate-server-*/bin/restate-server
