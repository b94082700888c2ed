#!/bin/sh
# For a machine without ldd, which is no more than this.
LD_TRACE_LOADED_OBJECTS=1 exec /lib64/ld-linux-x86-64.so.2 "$1"
