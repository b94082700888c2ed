#!/bin/sh
# For a machine without ldd, which is no more than this.
exec /lib64/ld-linux-x86-64.so.2 --list "$1"
