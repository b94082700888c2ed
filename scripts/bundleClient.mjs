// Bundles the browser's side of `headlight serve` into dist/serve/client: app.js and style.css, which ask nothing of other hosts.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const root = new URL('..', import.meta.url)
const path = (relative) => fileURLToPath(new URL(relative, root))

await build({
  entryPoints: { app: path('src/serve/client/main.tsx'), style: path('src/serve/client/style/app.css') },
  outdir: path('dist/serve/client'),
  tsconfig: path('src/serve/client/tsconfig.json'),
  bundle: true,
  format: 'esm',
  target: ['chrome109', 'firefox115', 'safari16.4'],
  minify: true,
  // JSX of Preact is code like any other: no development helpers.
  jsx: 'automatic',
  jsxImportSource: 'preact',
  banner: { js: '/*! Contains Preact, copyright Jason Miller, under the MIT License. */' },
  logLevel: 'warning',
})

// What a reader waits for at first, over a slow line as well.
const mostBytes = 40 * 1024
const sizes = ['app.js', 'style.css'].map((name) => ({
  name,
  bytes: gzipSync(readFileSync(path(`dist/serve/client/${name}`)), { level: 9 }).length,
}))
const bytes = sizes.reduce((sum, size) => sum + size.bytes, 0)
if (bytes > mostBytes) {
  const parts = sizes.map((size) => `${size.name} ${size.bytes}`).join(' and ')
  console.error(`The client is ${bytes} bytes gzipped (${parts}); at most ${mostBytes} are allowed.`)
  process.exitCode = 1
}
