#!/bin/sh
# Runs everything in this folder by itself: it brings Node and Redis, and finds the rest on this machine.
case "$0" in
*/*) here=${0%/*} ;;
*) here=. ;;
esac
here=$(cd "$here" && pwd) || exit 1
# Behind what this machine has of its own.
PATH="${PATH:+$PATH:}$here/bin"
LD_LIBRARY_PATH="${LD_LIBRARY_PATH:+$LD_LIBRARY_PATH:}$here/lib"
HEADLIGHT_ENGINES_FOLDER="${HEADLIGHT_ENGINES_FOLDER:-$here/engines}"
HEADLIGHT_STATE_FOLDER="${HEADLIGHT_STATE_FOLDER:-$here/state}"
HEADLIGHT_GPU_BUNDLE="$here"
export PATH LD_LIBRARY_PATH HEADLIGHT_ENGINES_FOLDER HEADLIGHT_STATE_FOLDER HEADLIGHT_GPU_BUNDLE
exec "$here/node" "$here/app/bench/gpu/main.js" "$@"
