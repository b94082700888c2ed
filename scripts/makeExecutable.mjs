// tsc keeps the `#!` line of the command's entry file but not its execute bit.
import { chmodSync } from 'node:fs'

chmodSync(new URL('../dist/cli/main.js', import.meta.url), 0o755)
