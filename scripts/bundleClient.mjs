// Bundles the browser's side of `headlight serve` into dist/serve/client: app.js and style.css, which ask nothing of other hosts.
import { fileURLToPath } from 'node:url'
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
