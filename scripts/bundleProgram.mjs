// Bundles what node is started with: a command is up in a third of the time that a thousand small files take. Each entry
// file in dist/ is replaced by its bundle, and what several need, or one loads later, goes to dist/chunks/.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = new URL('..', import.meta.url)
const path = (relative) => fileURLToPath(new URL(relative, root))

/** Processes and threads. */
const entries = [
  'cli/main',
  'machine/probeMain',
  'serve/comparisons/comparisonThread',
  'serve/table/tableThread',
  'worker/unit/engineThread',
  'worker/unit/unit',
]

/** They bring native libraries, or workers of their own, and look for them beside themselves. */
const external = ['@tensorflow/*', 'msgpackr', 'onnxruntime-node', 'pino', 'sharp']

/** A module that looks for something beside itself goes on looking from where tsc puts it. */
const ownPlaces = {
  name: 'own places',
  setup({ onLoad }) {
    onLoad({ filter: /\.ts$/ }, ({ path: file }) => {
      const text = readFileSync(file, 'utf8')
      const module = relative(path('src'), file).split(sep).join('/').replace(/\.ts$/, '.js')
      return { loader: 'ts', contents: text.replaceAll('import.meta.url', `__moduleUrl(${JSON.stringify(module)})`) }
    })
  },
}

/** What decides which program is made of a network: programs that were kept compiled are of these sources, or not used. */
function programsDigest() {
  const hash = createHash('sha256').update(JSON.stringify(JSON.parse(readFileSync(path('package.json'))).dependencies))
  for (const room of ['base', 'pose', 'saliency']) {
    for (const name of readdirSync(path(`src/${room}`), { recursive: true }).toSorted()) {
      if (name.endsWith('.ts')) hash.update(`${room}/${name}\0`).update(readFileSync(path(`src/${room}/${name}`)))
    }
  }
  return hash.digest('hex')
}

rmSync(path('dist/chunks'), { recursive: true, force: true })
await build({
  entryPoints: entries.map((entry) => path(`src/${entry}.ts`)),
  outbase: path('src'),
  outdir: path('dist'),
  chunkNames: 'chunks/[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  sourcemap: true,
  external,
  define: { headlightPrograms: JSON.stringify(programsDigest()) },
  plugins: [ownPlaces],
  banner: {
    js: [
      "import { createRequire as __createRequire } from 'node:module';",
      // What some packages are written with, and a module of this kind lacks.
      'const require = __createRequire(import.meta.url);',
      "const __dist = import.meta.url.slice(0, import.meta.url.lastIndexOf('/dist/') + '/dist/'.length);",
      'const __moduleUrl = (path) => __dist + path;',
    ].join(' '),
  },
  logLevel: 'warning',
})
