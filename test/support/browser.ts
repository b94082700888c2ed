import { existsSync } from 'node:fs'

/** Chromium or Chrome, where this machine has one; tests that look at pages are left out where it has none. */
export const browser = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find((path) =>
  existsSync(path),
)
